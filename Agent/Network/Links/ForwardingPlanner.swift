import ProtocolModel

/// Says where the frames of overlay networks go: to which host each MAC address on another host belongs, and what MAC
/// address the addresses there have, so that the bridge answers for them. Pure.
public enum ForwardingPlanner {
    public struct Plan: Hashable, Sendable {
        /// Each takes the place of what says otherwise.
        public var additions: [ForwardingEntry] = []
        /// Done after the additions.
        public var removals: [ForwardingEntry] = []

        public init() {}
    }

    /// - Parameters:
    ///   - links: the host's, with the networks' links made.
    ///   - actual: the entries of all devices; those of devices that do not carry our marks are left alone.
    public static func plan(
        networks: [NetworkID: NetworkSpec], links: [ObservedLink], actual: Set<ForwardingEntry>
    ) -> Plan {
        var wanted: Set<ForwardingEntry> = []
        var devices: Set<Int32> = []
        let overlays = networks.filter { $0.value.isOverlay }
        let bridges = Dictionary(
            links.compactMap { link -> (NetworkID, ObservedLink)? in
                guard case .bridge(let id)? = OwnershipMark(alias: link.alias), overlays[id] != nil else { return nil }
                return (id, link)
            }
        ) { first, _ in first }
        for link in links {
            guard case .vxlan(let id)? = OwnershipMark(alias: link.alias), let network = overlays[id],
                let bridge = bridges[id], link.master == bridge.index
            else { continue }
            devices.formUnion([link.index, bridge.index])
            wanted.formUnion(entries(network, device: link.index, bridge: bridge.index))
        }
        var plan = Plan()
        plan.additions = wanted.subtracting(actual).sorted(by: order)
        let places = Set(plan.additions.compactMap(\.place))
        plan.removals = actual.filter { entry in
            guard devices.contains(entry.device), !wanted.contains(entry) else { return false }
            // What an addition takes the place of is gone by itself.
            return entry.place.map { !places.contains($0) } ?? true
        }.sorted(by: order)
        return plan
    }

    private static func entries(_ network: NetworkSpec, device: Int32, bridge: Int32) -> Set<ForwardingEntry> {
        var entries: Set<ForwardingEntry> = []
        var seen: Set<MACAddress> = []
        var addresses: Set<IPAddress> = []
        for port in network.remotePorts {
            entries.insert(.tunnel(device: device, mac: .unspecified, host: port.tunnel))
            guard seen.insert(port.mac).inserted else { continue }
            entries.insert(.tunnel(device: device, mac: port.mac, host: port.tunnel))
            entries.insert(.port(device: device, mac: port.mac))
            for address in port.addresses where addresses.insert(address).inserted {
                entries.insert(.neighbor(device: bridge, address: address, mac: port.mac))
            }
        }
        return entries
    }

    /// Where unicast frames go comes before the answers that send them there.
    private static func order(_ left: ForwardingEntry, _ right: ForwardingEntry) -> Bool {
        left.rank == right.rank ? left.text < right.text : left.rank < right.rank
    }
}

/// What an entry is in the place of: only one can be there.
private enum Place: Hashable {
    case tunnel(Int32, MACAddress)
    case port(Int32, MACAddress)
    case neighbor(Int32, IPAddress)
}

extension ForwardingEntry {
    fileprivate var place: Place? {
        switch self {
        case .tunnel(_, .unspecified, _): nil
        case .tunnel(let device, let mac, _): .tunnel(device, mac)
        case .port(let device, let mac): .port(device, mac)
        case .neighbor(let device, let address, _): .neighbor(device, address)
        }
    }

    fileprivate var rank: Int {
        switch self {
        case .tunnel: 0
        case .port: 1
        case .neighbor: 2
        }
    }

    fileprivate var text: String {
        switch self {
        case .tunnel(let device, let mac, let host): "\(device) \(mac) \(host)"
        case .port(let device, let mac): "\(device) \(mac)"
        case .neighbor(let device, let address, let mac): "\(device) \(address) \(mac)"
        }
    }
}

extension NetworkSpec {
    var isOverlay: Bool {
        if case .vxlan = attachment { true } else { false }
    }
}
