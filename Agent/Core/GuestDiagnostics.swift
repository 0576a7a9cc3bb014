import ProtocolModel

/// What a running guest takes of its host, as the hypervisor counts it since the guest was started.
public struct GuestDiagnostics: Hashable, Sendable {
    public struct Disk: Hashable, Sendable {
        public var readBytes: Int64
        public var readRequests: Int64
        public var writeBytes: Int64
        public var writeRequests: Int64

        public init(readBytes: Int64, readRequests: Int64, writeBytes: Int64, writeRequests: Int64) {
            self.readBytes = readBytes
            self.readRequests = readRequests
            self.writeBytes = writeBytes
            self.writeRequests = writeRequests
        }
    }

    public struct Traffic: Hashable, Sendable {
        public var octets: Int64
        public var packets: Int64
        public var errors: Int64
        public var drops: Int64

        public init(octets: Int64, packets: Int64, errors: Int64, drops: Int64) {
            self.octets = octets
            self.packets = packets
            self.errors = errors
            self.drops = drops
        }
    }

    public struct Interface: Hashable, Sendable {
        /// The host's end.
        public var tap: String
        public var received: Traffic
        public var sent: Traffic

        public init(tap: String, received: Traffic, sent: Traffic) {
            self.tap = tap
            self.received = received
            self.sent = sent
        }
    }

    public var power: ServerDetails.PowerState
    /// `kvm` or `qemu`.
    public var virtType: String
    /// Nanoseconds that each virtual processor ran.
    public var processorTimes: [Int64]
    public var maximumMemoryMiB: Int
    public var usedMemoryMiB: Int
    public var disks: [Disk]
    public var interfaces: [Interface]

    public init(
        power: ServerDetails.PowerState, virtType: String, processorTimes: [Int64], maximumMemoryMiB: Int,
        usedMemoryMiB: Int, disks: [Disk], interfaces: [Interface]
    ) {
        self.power = power
        self.virtType = virtType
        self.processorTimes = processorTimes
        self.maximumMemoryMiB = maximumMemoryMiB
        self.usedMemoryMiB = usedMemoryMiB
        self.disks = disks
        self.interfaces = interfaces
    }
}

/// Source: the server diagnostics of the compute API's microversion 2.48. What nobody counts is `null`, and `uptime` is
/// the coordinator's to fill in, who knows when the server was launched.
extension GuestDiagnostics {
    func json(of spec: ServerSpec) -> JSONDocument {
        let macs = Dictionary(spec.interfaces.map { (InterfaceName.tap($0.port).text, $0.mac.description) }) { $1 }
        return .object([
            ("state", .text(state)), ("driver", .text("libvirt")), ("hypervisor", .text(virtType)),
            ("hypervisor_os", .text("linux")), ("uptime", .null), ("config_drive", .flag(spec.hasConfigDrive)),
            ("num_cpus", .number(processorTimes.count)), ("num_disks", .number(disks.count)),
            ("num_nics", .number(interfaces.count)),
            (
                "memory_details",
                .object([("maximum", .number(maximumMemoryMiB)), ("used", .number(usedMemoryMiB))])
            ),
            (
                "cpu_details",
                .list(
                    processorTimes.enumerated().map { number, time in
                        .object([("id", .number(number)), ("time", .number(Int(time))), ("utilisation", .null)])
                    })
            ),
            ("disk_details", .list(disks.map(\.json))),
            ("nic_details", .list(interfaces.map { $0.json(mac: macs[$0.tap]) }))
        ])
    }

    private var state: String {
        switch power {
        case .none: "pending"
        case .running: "running"
        case .paused: "paused"
        case .shutdown: "shutdown"
        case .crashed: "crashed"
        case .suspended: "suspended"
        }
    }
}

extension GuestDiagnostics.Disk {
    fileprivate var json: JSONDocument {
        .object([
            ("read_bytes", .number(Int(readBytes))), ("read_requests", .number(Int(readRequests))),
            ("write_bytes", .number(Int(writeBytes))), ("write_requests", .number(Int(writeRequests))),
            ("errors_count", .null)
        ])
    }
}

extension GuestDiagnostics.Interface {
    fileprivate func json(mac: String?) -> JSONDocument {
        .object(
            [("mac_address", mac.map(JSONDocument.text) ?? .null)] + Self.members("rx", received)
                + Self.members("tx", sent))
    }

    private static func members(_ prefix: String, _ traffic: GuestDiagnostics.Traffic) -> [(String, JSONDocument)] {
        [
            (prefix + "_octets", .number(Int(traffic.octets))), (prefix + "_packets", .number(Int(traffic.packets))),
            (prefix + "_errors", .number(Int(traffic.errors))), (prefix + "_drop", .number(Int(traffic.drops))),
            (prefix + "_rate", .null)
        ]
    }
}
