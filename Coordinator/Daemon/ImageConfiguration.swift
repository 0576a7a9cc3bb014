import CoordinatorImage
import ProtocolModel
import Yams

/// `images`: what the operator says about images' data and metadata.
extension Configuration.Reader {
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
            whole(value, path, "a number of MiB", 1...(1 << 30)) { data.sizeLimit = $0 << 20 }
        case "import_seconds":
            whole(value, path, "a number of seconds", 1...31_536_000) { data.importSeconds = $0 }
        case "keep_parts_seconds":
            whole(value, path, "a number of seconds", 60...31_536_000) { data.partSeconds = $0 }
        case "keep_tasks_seconds":
            whole(value, path, "a number of seconds", 60...31_536_000) { data.taskSeconds = $0 }
        case "scrub_days":
            whole(value, path, "a number of days", 0...3_650) { data.scrubSeconds = $0 * 86_400 }
        case "scrub_mib_per_second":
            whole(value, path, "a number of MiB a second", 1...100_000) {
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
        case "show_direct_url": images.metadata.showsDirectURL = flag(value, path)
        case "show_locations": images.metadata.showsLocations = flag(value, path)
        case "property_protections": readPropertyProtections(value, into: &images)
        case "property_limit":
            whole(value, path, "a number of properties", 0...10_000) { images.metadata.propertyLimit = Int($0) }
        case "tag_limit": whole(value, path, "a number of tags", 0...10_000) { images.metadata.tagLimit = Int($0) }
        case "member_limit":
            whole(value, path, "a number of members", 0...10_000) { images.metadata.memberLimit = Int($0) }
        case "list_limit_default":
            whole(value, path, "a number of images", 1...10_000) { images.metadata.listLimitDefault = Int($0) }
        case "list_limit_max":
            whole(value, path, "a number of images", 1...10_000) { images.metadata.listLimitMaximum = Int($0) }
        default: return false
        }
        return true
    }

    private mutating func readPropertyProtections(_ node: Node, into images: inout Configuration.Images) {
        var file = PropertyProtectionsFile(path: "")
        for (name, value) in members(node, of: "'images.property_protections'") {
            let path = "images.property_protections.\(name)"
            switch name {
            case "file": file.path = string(value, path)
            case "rule_format":
                if let format = value.string.flatMap(PropertyProtections.Format.init(rawValue:)) {
                    file.format = format
                } else {
                    wrong(value, path, "roles or policies")
                }
            default: unknown(name, value, known: "file, rule_format")
            }
        }
        if file.path.isEmpty, node.mapping?["file"] == nil {
            wrong(node, "images.property_protections", "a mapping that says which 'file' they are in")
        }
        images.propertyProtections = file
    }

    private mutating func readWebDownload(_ node: Node, into web: inout ImageSettings.WebDownload) {
        for (name, value) in members(node, of: "'images.web_download'") {
            switch name {
            case "hosts":
                list(value, "images.web_download.\(name)", "a list of host names") { $0.string?.lowercased() }
                    .map { web.hosts = $0 }
            case "ports":
                list(value, "images.web_download.\(name)", "a list of ports") { node in
                    node.int.flatMap { (1...65_535).contains($0) ? $0 : nil }
                }.map { web.ports = Set($0) }
            case "networks":
                list(value, "images.web_download.\(name)", "a list of networks, ADDRESS/LENGTH") { node in
                    node.string.flatMap { IPPrefix($0) }
                }.map { web.networks = $0 }
            default: unknown(name, value, known: "hosts, ports, networks")
            }
        }
    }

    private mutating func readConversion(_ node: Node, into conversion: inout ImageSettings.Conversion) {
        for (name, value) in members(node, of: "'images.conversion'") {
            let path = "images.conversion.\(name)"
            switch name {
            case "output_format":
                switch value.string {
                case "none": conversion.outputFormat = nil
                case let format? where ["raw", "qcow2", "vmdk", "vhd", "vhdx"].contains(format):
                    conversion.outputFormat = format
                default: wrong(value, path, "none, raw, qcow2, vmdk, vhd or vhdx")
                }
            case "seconds":
                whole(value, path, "a number of seconds", 1...604_800) { conversion.seconds = $0 }
            case "memory_mib":
                whole(value, path, "a number of MiB", 128...(1 << 20)) { conversion.memoryBytes = $0 << 20 }
            case "size_limit_mib":
                whole(value, path, "a number of MiB", 1...(1 << 30)) { conversion.outputBytes = $0 << 20 }
            default: unknown(name, value, known: "output_format, seconds, memory_mib, size_limit_mib")
            }
        }
    }
}
