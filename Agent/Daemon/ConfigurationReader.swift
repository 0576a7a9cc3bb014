import AgentCompute
import AgentNetwork
import ProtocolLink
import ProtocolModel
import ProtocolSettings

extension Configuration {
    /// - Throws: ``SettingsError`` for unknown keys and wrong values, with the line each stands on.
    package static func parse(_ text: String, path: String) throws(SettingsError) -> Configuration {
        var configuration = Configuration()
        try SettingsReader.read(text, path: path) { reader, root in reader.readAgent(root, into: &configuration) }
        return configuration
    }
}

extension SettingsReader {
    fileprivate mutating func readAgent(_ root: Node, into configuration: inout Configuration) {
        for (name, value) in members(root, of: "the file") {
            switch name {
            case "state_directory": path(value, name).map { configuration.stateDirectory = $0 }
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
            case "metrics": readMetrics(value, into: &configuration.common)
            case "log": readLog(value, into: &configuration.common)
            case "reserved": readReserved(value, into: &configuration)
            case "images": readImages(value, into: &configuration)
            case "object": readObject(value, into: &configuration.object)
            case "storage": readStorage(value, into: &configuration)
            case "keep_days":
                number(value, name, "a number of days, 1 to 3650", 1...3_650).map { configuration.keepDays = Int($0) }
            case "simulated": readSimulated(value, into: &configuration.simulated)
            default:
                unknown(
                    name, value,
                    known: """
                        state_directory, coordinator, name, roles, driver, libvirt, network, metrics, log, \
                        availability_zone, reserved, images, storage, object, keep_days, simulated
                        """)
            }
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
            parsed(item, "roles", "a list of compute, network, storage and object") { NodeReport.Role(rawValue: $0) }
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
            case "tunnel_address":
                parsed(value, "network.tunnel_address", "an address of this host's, or an interface's name") {
                    if let address = IPAddress($0) {
                        return address.isLoopback || address.isUnspecified || address.isMulticast
                            ? nil : .address(address)
                    }
                    return (try? InterfaceName($0)).map(TunnelSource.interface)
                }.map { configuration.tunnel = $0 }
            default: unknown(name, value, known: "physical_networks, tunnel_address")
            }
        }
    }

    private mutating func readReserved(_ node: Node, into configuration: inout Configuration) {
        for (name, value) in members(node, of: "'reserved'") {
            switch name {
            case "memory_mib":
                number(value, "reserved.memory_mib", "a number of MiB", 0...16_777_216).map {
                    configuration.reservedMemoryMiB = Int($0)
                }
            case "disk_gib":
                number(value, "reserved.disk_gib", "a number of GiB", 0...16_777_216).map {
                    configuration.reservedDiskGiB = Int($0)
                }
            default: unknown(name, value, known: "memory_mib, disk_gib")
            }
        }
    }

    private mutating func readImages(_ node: Node, into configuration: inout Configuration) {
        for (name, value) in members(node, of: "'images'") {
            switch name {
            case "cache_gib":
                number(value, "images.cache_gib", "a number of GiB", 1...16_777_216).map {
                    configuration.imageCacheGiB = Int($0)
                }
            default: unknown(name, value, known: "cache_gib")
            }
        }
    }

    private mutating func readObject(_ node: Node, into object: inout Configuration.ObjectStorage) {
        for (name, value) in members(node, of: "'object'") {
            switch name {
            case "folder": path(value, "object.folder").map { object.folder = $0 }
            case "listen": address(value, "object.listen").map { object.listen = $0 }
            case "keep_tokens_minutes":
                number(value, "object.keep_tokens_minutes", "a number of minutes, 0 to 1440", 0...1_440).map {
                    object.keepTokensMinutes = Int($0)
                }
            default: unknown(name, value, known: "folder, listen, keep_tokens_minutes")
            }
        }
    }

    private mutating func readSimulated(_ node: Node, into simulated: inout Configuration.Simulated) {
        for (name, value) in members(node, of: "'simulated'") {
            switch name {
            case "nodes":
                number(value, "simulated.nodes", "a number of hosts", 1...10_000).map { simulated.nodes = Int($0) }
            case "vcpus":
                number(value, "simulated.vcpus", "a number of processors", 1...1_048_576).map {
                    simulated.vcpus = Int($0)
                }
            case "memory_mib":
                number(value, "simulated.memory_mib", "a number of MiB", 1...1_073_741_824).map {
                    simulated.memoryMiB = Int($0)
                }
            case "disk_gib":
                number(value, "simulated.disk_gib", "a number of GiB", 1...1_073_741_824).map {
                    simulated.diskGiB = Int($0)
                }
            default: unknown(name, value, known: "nodes, vcpus, memory_mib, disk_gib")
            }
        }
    }
}
