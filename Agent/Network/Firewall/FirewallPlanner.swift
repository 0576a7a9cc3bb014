import AgentCore
import ProtocolModel

/// Every rule and set that a host's ports need.
public struct FirewallPlan: Hashable, Sendable {
    public var tables: [FilterFamily: [RuleTable]]
    public var sets: [AddressSet]
}

/// Turns ports and security groups into rules. Pure: the same input always gives the same rules.
///
/// A frame that crosses one of our bridges goes through `skerry-fwd`, its network's chain `sk-n`, its sender's `sk-o`
/// and its receiver's `sk-i`; RETURN passes it on to the next, and the end of `sk-n` accepts. Frames for the host
/// itself are dropped: a bridge of ours is no way in. Before all that, ebtables drops frames with foreign MAC or ARP addresses.
public enum FirewallPlanner {
    public static func plan(_ state: NetworkState) -> FirewallPlan {
        let ports = state.ports.values.filter { state.networks[$0.network] != nil }.sorted { $0.id < $1.id }
        let byNetwork = Dictionary(grouping: ports, by: \.network)
        // Also those without ports here: a router may pass their frames on to the uplink.
        let networks = state.networks.keys.sorted()
        return FirewallPlan(
            tables: [
                .ipv4: [filter(state, networks, byNetwork, .ipv4), raw(networks), marks(ports)],
                .ipv6: [filter(state, networks, byNetwork, .ipv6), raw(networks), marks(ports)],
                .frames: [FrameRules.table(ports)]
            ],
            sets: sets(state, ports))
    }

    private static func filter(
        _ state: NetworkState, _ networks: [NetworkID], _ byNetwork: [NetworkID: [PortSpec]],
        _ family: IPAddress.Family
    ) -> RuleTable {
        var table = RuleTable(name: "filter")
        guard !networks.isEmpty else { return table }
        table.hooks = [.init(chain: "INPUT", target: "skerry-in"), .init(chain: "FORWARD", target: "skerry-fwd")]
        table.chains["skerry-in"] =
            tunnelled(state, family) + networks.map { "-i \(InterfaceName.bridge($0)) -j DROP" }
        table.chains["skerry-fwd"] = networks.flatMap { id -> [String] in
            let bridge = InterfaceName.bridge(id)
            return [
                "-i \(bridge) -m physdev --physdev-is-bridged -j sk-n\(id.short)",
                // Neither does the host route between a bridge of ours and anything else.
                "-i \(bridge) -j DROP", "-o \(bridge) -j DROP"
            ]
        }
        for id in networks {
            guard let network = state.networks[id] else { continue }
            let secured = (byNetwork[id] ?? []).filter(\.isSecurityEnabled)
            var rules = secured.map { "-m physdev --physdev-in \(InterfaceName.tap($0.id)) -j sk-o\($0.id.short)" }
            rules += secured.map { "-m physdev --physdev-out \(InterfaceName.tap($0.id)) -j sk-i\($0.id.short)" }
            table.chains["sk-n\(id.short)"] = rules + ["-j ACCEPT"]
            for port in secured {
                let rules = PortRules(port: port, network: network, groups: state.securityGroups, family: family)
                table.chains["sk-i\(port.id.short)"] = rules.ingress
                table.chains["sk-o\(port.id.short)"] = rules.egress
                table.chains["sk-s\(port.id.short)"] = rules.sources
            }
        }
        return table
    }

    /// What comes in tunnels goes past the rules of ports, and the kernel takes it from anybody who knows a network's
    /// number: here only the hosts that the plan names may send any.
    private static func tunnelled(_ state: NetworkState, _ family: IPAddress.Family) -> [String] {
        let overlays = state.networks.values.filter { if case .vxlan = $0.attachment { true } else { false } }
        guard !overlays.isEmpty else { return [] }
        let hosts = Set(overlays.flatMap(\.remotePorts).map(\.tunnel)).filter { $0.family == family }
        return hosts.sorted().map { "-s \($0)/\(family.bitCount) -p udp -m udp --dport 4789 -j RETURN" }
            + ["-p udp -m udp --dport 4789 -j DROP"]
    }

    /// A connection tracking zone for each network, since the address ranges of two networks may overlap.
    private static func raw(_ networks: [NetworkID]) -> RuleTable {
        var table = RuleTable(name: "raw")
        guard !networks.isEmpty else { return table }
        table.hooks = [.init(chain: "PREROUTING", target: "skerry-raw")]
        let zones = zones(networks)
        table.chains["skerry-raw"] = networks.compactMap { id in
            zones[id].map { "-i \(InterfaceName.bridge(id)) -j CT --zone \($0)" }
        }
        return table
    }

    /// What the packets of guests are marked with. In PREROUTING, where the way of a packet is not known yet: it is
    /// marked for whoever gets it.
    private static func marks(_ ports: [PortSpec]) -> RuleTable {
        var table = RuleTable(name: "mangle")
        let marked = ports.compactMap { port in
            port.quality.dscp.map { "-m physdev --physdev-in \(InterfaceName.tap(port.id)) -j DSCP --set-dscp \($0)" }
        }
        guard !marked.isEmpty else { return table }
        table.hooks = [.init(chain: "PREROUTING", target: "skerry-dscp")]
        table.chains["skerry-dscp"] = marked
        return table
    }

    /// Zones 1 to 65535, from the identifier so that they stay the same while networks come and go; of two networks
    /// with equal digits (one pair in 65,535) the later one takes the next free zone.
    package static func zones(_ networks: [NetworkID]) -> [NetworkID: Int] {
        var zones: [NetworkID: Int] = [:]
        var taken: Set<Int> = []
        for id in networks.sorted() where taken.count < 65535 {
            var zone = Int(id.high >> 48) % 65535
            while !taken.insert(zone).inserted { zone = (zone + 1) % 65535 }
            zones[id] = zone + 1
        }
        return zones
    }

    /// The groups, of ports or of addresses, that a rule on this host refers to.
    private static func sets(_ state: NetworkState, _ ports: [PortSpec]) -> [AddressSet] {
        var wanted: [String: AddressSet] = [:]
        let groups = Set(ports.lazy.filter(\.isSecurityEnabled).flatMap(\.securityGroups))
        for group in groups.sorted() {
            guard let spec = state.securityGroups[group] else { continue }
            for rule in spec.rules {
                guard case .group(let remote) = rule.remote else { continue }
                let name = AddressSet.name(remote, rule.family)
                // One address group, told with several security groups, is one set.
                guard wanted[name] == nil else { continue }
                let members = members(of: remote, as: spec, state).filter { $0.family == rule.family }
                wanted[name] = AddressSet(name: name, family: rule.family, members: Set(members))
            }
        }
        return wanted.values.sorted { $0.name < $1.name }
    }

    /// What a rule of `group` means by a remote one.
    private static func members(
        of remote: SecurityGroupID, as group: SecurityGroupSpec, _ state: NetworkState
    ) -> [IPPrefix] {
        if let addresses = group.addressGroups.first(where: { $0.id == remote.cast() }) { return addresses.prefixes }
        return (state.securityGroups[remote]?.members ?? []).compactMap { IPPrefix($0, length: $0.family.bitCount) }
    }
}
