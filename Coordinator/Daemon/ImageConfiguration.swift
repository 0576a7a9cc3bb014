import CoordinatorImage
import ProtocolModel
import ProtocolSettings

/// `images`: what the operator says about images' data and metadata.
extension SettingsReader {
    mutating func readImages(_ node: Node, into images: inout Configuration.Images) {
        for (name, value) in members(node, of: "'images'") {
            if readData(name, value, into: &images.data) || readMetadata(name, value, into: &images) { continue }
            unknown(
                name, value,
                known: """
                    size_limit_mib, import_seconds, keep_parts_seconds, keep_tasks_seconds, scrub_days, \
                    scrub_mib_per_second, web_download, conversion, show_direct_url, show_locations, \
                    property_protections, property_limit, tag_limit, member_limit, list_limit_default, list_limit_max
                    """)
        }
        if images.metadata.listLimitDefault > images.metadata.listLimitMaximum {
            wrong(node, "images.list_limit_default", "images.list_limit_max at most")
        }
    }

    /// - Returns: Whether there is such a key.
    private mutating func readData(_ name: String, _ value: Node, into data: inout ImageSettings) -> Bool {
        let path = "images.\(name)"
        switch name {
        case "size_limit_mib":
            number(value, path, "a number of MiB", 1...(1 << 30)).map { data.sizeLimit = $0 << 20 }
        case "import_seconds":
            number(value, path, "a number of seconds", 1...31_536_000).map { data.importSeconds = $0 }
        case "keep_parts_seconds":
            number(value, path, "a number of seconds", 60...31_536_000).map { data.partSeconds = $0 }
        case "keep_tasks_seconds":
            number(value, path, "a number of seconds", 60...31_536_000).map { data.taskSeconds = $0 }
        case "scrub_days":
            number(value, path, "a number of days", 0...3_650).map { data.scrubSeconds = $0 * 86_400 }
        case "scrub_mib_per_second":
            number(value, path, "a number of MiB a second", 1...100_000).map {
                data.scrubBytesPerSecond = $0 << 20
            }
        case "web_download": readWebDownload(value, into: &data.webDownload)
        case "conversion": readConversion(value, into: &data.conversion)
        default: return false
        }
        return true
    }

    /// - Returns: Whether there is such a key.
    private mutating func readMetadata(_ name: String, _ value: Node, into images: inout Configuration.Images) -> Bool {
        let path = "images.\(name)"
        switch name {
        case "show_direct_url": flag(value, path).map { images.metadata.showsDirectURL = $0 }
        case "show_locations": flag(value, path).map { images.metadata.showsLocations = $0 }
        case "property_protections": readPropertyProtections(value, into: &images)
        case "property_limit":
            number(value, path, "a number of properties", 0...10_000).map { images.metadata.propertyLimit = Int($0) }
        case "tag_limit": number(value, path, "a number of tags", 0...10_000).map { images.metadata.tagLimit = Int($0) }
        case "member_limit":
            number(value, path, "a number of members", 0...10_000).map { images.metadata.memberLimit = Int($0) }
        case "list_limit_default":
            number(value, path, "a number of images", 1...10_000).map { images.metadata.listLimitDefault = Int($0) }
        case "list_limit_max":
            number(value, path, "a number of images", 1...10_000).map { images.metadata.listLimitMaximum = Int($0) }
        default: return false
        }
        return true
    }

    private mutating func readPropertyProtections(_ node: Node, into images: inout Configuration.Images) {
        var file = PropertyProtectionsFile(path: "")
        for (name, value) in members(node, of: "'images.property_protections'") {
            let path = "images.property_protections.\(name)"
            switch name {
            case "file": string(value, path).map { file.path = $0 }
            case "rule_format":
                parsed(value, path, "roles or policies") { PropertyProtections.Format(rawValue: $0) }
                    .map { file.format = $0 }
            default: unknown(name, value, known: "file, rule_format")
            }
        }
        if file.path.isEmpty, node.mapping?.contains(where: { $0.key.string == "file" }) != true {
            wrong(node, "images.property_protections", "a mapping that says which 'file' they are in")
        }
        images.propertyProtections = file
    }

    private mutating func readWebDownload(_ node: Node, into web: inout ImageSettings.WebDownload) {
        for (name, value) in members(node, of: "'images.web_download'") {
            switch name {
            case "hosts":
                list(value, "images.web_download.\(name)", "a list of host names") { $0.lowercased() }
                    .map { web.hosts = $0 }
            case "ports":
                list(value, "images.web_download.\(name)", "a list of ports") { text in
                    Int(text).flatMap { (1...65_535).contains($0) ? $0 : nil }
                }.map { web.ports = Set($0) }
            case "networks":
                list(value, "images.web_download.\(name)", "a list of networks, ADDRESS/LENGTH") { IPPrefix($0) }.map {
                    web.networks = $0
                }
            case "ca_file": string(value, "images.web_download.\(name)").map { web.authorities = $0 }
            default: unknown(name, value, known: "hosts, ports, networks, ca_file")
            }
        }
    }

    private mutating func readConversion(_ node: Node, into conversion: inout ImageSettings.Conversion) {
        for (name, value) in members(node, of: "'images.conversion'") {
            let path = "images.conversion.\(name)"
            switch name {
            case "output_format":
                parsed(value, path, "none, raw, qcow2, vmdk, vhd or vhdx") { text in
                    ["none", "raw", "qcow2", "vmdk", "vhd", "vhdx"].contains(text) ? text : nil
                }.map { conversion.outputFormat = $0 == "none" ? nil : $0 }
            case "seconds":
                number(value, path, "a number of seconds", 1...604_800).map { conversion.seconds = $0 }
            case "memory_mib":
                number(value, path, "a number of MiB", 128...(1 << 20)).map { conversion.memoryBytes = $0 << 20 }
            case "size_limit_mib":
                number(value, path, "a number of MiB", 1...(1 << 30)).map { conversion.outputBytes = $0 << 20 }
            default: unknown(name, value, known: "output_format, seconds, memory_mib, size_limit_mib")
            }
        }
    }
}
