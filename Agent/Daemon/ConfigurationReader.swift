import AgentCompute
import Logging
import ProtocolLink
import ProtocolModel
import Yams

extension Configuration {
    /// - Throws: ``ConfigurationError`` for unknown keys and wrong values, with the line each stands on.
    static func parse(_ text: String, path: String) throws -> Configuration {
        var reader = ConfigurationReader()
        var configuration = Configuration()
        do {
            if let root = try Yams.compose(yaml: text) { reader.read(root, into: &configuration) }
        } catch {
            reader.problems.append("It is not YAML: \(error)")
        }
        guard reader.problems.isEmpty else { throw ConfigurationError(path: path, problems: reader.problems) }
        return configuration
    }
}

/// Goes through a configuration file and notes everything wrong with it.
private struct ConfigurationReader {
    var problems: [String] = []

    private static let topics =
        "state_directory, coordinator, name, roles, driver, libvirt, network, metrics, log, availability_zone, reserved, "
        + "images, simulated"

    mutating func read(_ root: Node, into configuration: inout Configuration) {
        for (name, value) in members(root, of: "the file") {
            switch name {
            case "state_directory": string(value, name).map { configuration.stateDirectory = $0 }
            case "coordinator":
                configuration.coordinator = parsed(value, name, "HOST or HOST:PORT") { LinkEndpoint($0) }
            case "name": readName(value, into: &configuration)
            case "roles": readRoles(value, into: &configuration)
            case "driver":
                parsed(value, name, "libvirt or simulated") { Configuration.Driver(rawValue: $0) }
                    .map { configuration.driver = $0 }
            case "availability_zone": string(value, name).map { configuration.availabilityZone = $0 }
            case "libvirt": readLibvirt(value, into: &configuration.libvirt)
            case "network": readNetwork(value, into: &configuration)
            case "metrics": readMetrics(value, into: &configuration)
            case "log": readLog(value, into: &configuration)
            case "reserved": readReserved(value, into: &configuration)
            case "images": readImages(value, into: &configuration)
            case "simulated": readSimulated(value, into: &configuration.simulated)
            default: unknown(name, value, known: Self.topics)
            }
        }
        if !configuration.stateDirectory.hasPrefix("/") {
            problems.append("state_directory is '\(configuration.stateDirectory)': it must be an absolute path.")
        }
    }

    private mutating func readName(_ node: Node, into configuration: inout Configuration) {
        let letters = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")
        configuration.name = parsed(node, "name", "a host name: letters, digits, '-' and '.'") {
            (1...253).contains($0.utf8.count) && $0.allSatisfy(letters.contains) ? $0 : nil
        }
    }

    private mutating func readRoles(_ node: Node, into configuration: inout Configuration) {
        guard let sequence = node.sequence, !sequence.isEmpty else {
            return wrong(node, "roles", "a list such as [compute, network, storage]")
        }
        var roles: Set<NodeReport.Role> = []
        for item in sequence {
            parsed(item, "roles", "a list of compute, network and storage") { NodeReport.Role(rawValue: $0) }
                .map { _ = roles.insert($0) }
        }
        configuration.roles = roles
    }

    private mutating func readLibvirt(_ node: Node, into libvirt: inout Configuration.Libvirt) {
        for (name, value) in members(node, of: "'libvirt'") {
            switch name {
            case "uri": string(value, "libvirt.uri").map { libvirt.uri = $0 }
            case "virt_type":
                parsed(value, "libvirt.virt_type", "auto, kvm or qemu") { VirtTypeProbe.Setting(rawValue: $0) }
                    .map { libvirt.virtType = $0 }
            default: unknown(name, value, known: "uri, virt_type")
            }
        }
    }

    private mutating func readNetwork(_ node: Node, into configuration: inout Configuration) {
        for (name, value) in members(node, of: "'network'") {
            switch name {
            case "physical_networks":
                for (physical, interface) in members(value, of: "network.physical_networks") {
                    parsed(interface, "network.physical_networks.\(physical)", "an interface's name, 1 to 15 bytes") {
                        try? InterfaceName($0)
                    }.map { configuration.physicalNetworks[physical] = $0 }
                }
            default: unknown(name, value, known: "physical_networks")
            }
        }
    }

    private mutating func readMetrics(_ node: Node, into configuration: inout Configuration) {
        for (name, value) in members(node, of: "'metrics'") {
            switch name {
            case "listen":
                configuration.metricsListen =
                    value.string == "none"
                    ? nil : parsed(value, "metrics.listen", "HOST:PORT, or none") { Configuration.Endpoint($0) }
            default: unknown(name, value, known: "listen")
            }
        }
    }

    private mutating func readLog(_ node: Node, into configuration: inout Configuration) {
        for (name, value) in members(node, of: "'log'") {
            switch name {
            case "level":
                parsed(value, "log.level", "trace, debug, info, notice, warning, error or critical") {
                    Logger.Level(rawValue: $0)
                }.map { configuration.logLevel = $0 }
            case "format":
                parsed(value, "log.format", "text or json") { ["text": false, "json": true][$0] }
                    .map { configuration.logsJSON = $0 }
            default: unknown(name, value, known: "level, format")
            }
        }
    }

    private mutating func readReserved(_ node: Node, into configuration: inout Configuration) {
        for (name, value) in members(node, of: "'reserved'") {
            switch name {
            case "memory_mib":
                number(value, "reserved.memory_mib", 0...16_777_216).map { configuration.reservedMemoryMiB = $0 }
            case "disk_gib":
                number(value, "reserved.disk_gib", 0...16_777_216).map { configuration.reservedDiskGiB = $0 }
            default: unknown(name, value, known: "memory_mib, disk_gib")
            }
        }
    }

    private mutating func readImages(_ node: Node, into configuration: inout Configuration) {
        for (name, value) in members(node, of: "'images'") {
            switch name {
            case "cache_gib": number(value, "images.cache_gib", 1...16_777_216).map { configuration.imageCacheGiB = $0 }
            default: unknown(name, value, known: "cache_gib")
            }
        }
    }

    private mutating func readSimulated(_ node: Node, into simulated: inout Configuration.Simulated) {
        for (name, value) in members(node, of: "'simulated'") {
            switch name {
            case "nodes": number(value, "simulated.nodes", 1...10_000).map { simulated.nodes = $0 }
            case "vcpus": number(value, "simulated.vcpus", 1...1_048_576).map { simulated.vcpus = $0 }
            case "memory_mib": number(value, "simulated.memory_mib", 1...1_073_741_824).map { simulated.memoryMiB = $0 }
            case "disk_gib": number(value, "simulated.disk_gib", 1...1_073_741_824).map { simulated.diskGiB = $0 }
            default: unknown(name, value, known: "nodes, vcpus, memory_mib, disk_gib")
            }
        }
    }

    // MARK: Values

    private mutating func members(_ node: Node, of what: String) -> [(String, Node)] {
        guard let mapping = node.mapping else {
            wrong(node, what, "a mapping of names to values")
            return []
        }
        return mapping.map { ($0.key.string ?? "", $0.value) }
    }

    private mutating func string(_ node: Node, _ name: String) -> String? {
        parsed(node, name, "some text") { $0.isEmpty ? nil : $0 }
    }

    private mutating func number(_ node: Node, _ name: String, _ range: ClosedRange<Int>) -> Int? {
        parsed(node, name, "a number from \(range.lowerBound) to \(range.upperBound)") { text in
            Int(text).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    private mutating func parsed<Value>(
        _ node: Node, _ name: String, _ wanted: String, _ parse: (String) -> Value?
    ) -> Value? {
        guard let value = node.scalar.flatMap({ parse($0.string) }) else {
            wrong(node, name, wanted)
            return nil
        }
        return value
    }

    private mutating func wrong(_ node: Node, _ name: String, _ wanted: String) {
        problems.append("line \(node.mark?.line ?? 0): \(name) must be \(wanted).")
    }

    private mutating func unknown(_ name: String, _ node: Node, known: String) {
        problems.append(
            "line \(node.mark?.line ?? 0): '\(name)' is not known here; known are \(known). Correct or remove it.")
    }
}
