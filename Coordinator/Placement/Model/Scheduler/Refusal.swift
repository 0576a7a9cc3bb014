import ProtocolModel

/// Why a host was dropped. The first filter that fails names the reason, in the order of the cases.
public enum Refusal: Sendable, Hashable {
    case excluded(String)
    case apart(String)
    case elsewhere(String)
    case otherHost(wanted: String)
    case otherZone(wanted: String)
    case otherAggregate
    case isolated
    case lacksRole(NodeReport.Role)
    case disabled(String?)
    case unhealthy(HostState.Health)
    case lacksNetworks([String])
    case lacksTraits([String])
    case hasTraits([String])
    case short(of: String, need: Int, has: Int)

    /// For one host: "short of memory (need 4096 MiB, has 3100)".
    public var text: String {
        switch self {
        case .excluded(let reason): "tried before: \(reason)"
        case .apart(let reason), .elsewhere(let reason): reason
        case .otherHost(let wanted): "not the host asked for (\(wanted))"
        case .otherZone(let wanted): "not in availability zone \(wanted)"
        case .otherAggregate: "not in an aggregate asked for"
        case .isolated: "kept for other projects"
        case .lacksRole(.compute): "runs no guests"
        case .lacksRole(let role): "has not the role \(role.rawValue)"
        case .disabled(let reason): reason.map { "disabled: \($0)" } ?? "disabled"
        case .unhealthy(.down): "down"
        case .unhealthy(let verdict): "\(verdict.rawValue): its agent has not been heard of lately"
        case .lacksNetworks(let names): "not connected to \(names.joined(separator: ", "))"
        case .lacksTraits([Trait.uefi]): "has no UEFI firmware"
        case .lacksTraits(let names): "lacks \(names.joined(separator: ", "))"
        case .hasTraits(let names): "has \(names.joined(separator: ", ")), which is not wanted"
        case .short(let scarce, let need, let has): Self.shortage(of: scarce, need: need, has: "has \(has)")
        }
    }

    private static func shortage(of resourceClass: String, need: Int, has: String) -> String {
        switch resourceClass {
        case ResourceClass.vcpu: "short of VCPUs (need \(need), \(has))"
        case ResourceClass.memory: "short of memory (need \(need) MiB, \(has))"
        case ResourceClass.disk: "short of disk (need \(need) GiB, \(has))"
        default: "short of \(resourceClass) (need \(need), \(has))"
        }
    }

    /// What refusals of one kind have in common, and the order in which a summary lists the kinds: what the person who
    /// asked can act on first.
    var kind: Kind {
        switch self {
        case .short(let scarce, _, _): Kind(rank: Self.rank(of: scarce), discriminator: scarce)
        case .disabled(let reason): Kind(rank: 4, discriminator: reason ?? "")
        case .unhealthy(let verdict): Kind(rank: verdict == .down ? 5 : 6, discriminator: "")
        case .lacksNetworks(let names): Kind(rank: 7, discriminator: names.joined(separator: ","))
        case .lacksTraits(let names): Kind(rank: 8, discriminator: names.joined(separator: ","))
        case .hasTraits(let names): Kind(rank: 9, discriminator: names.joined(separator: ","))
        case .excluded(let reason): Kind(rank: 10, discriminator: reason)
        case .apart(let reason): Kind(rank: 11, discriminator: reason)
        case .elsewhere(let reason): Kind(rank: 12, discriminator: reason)
        case .otherZone: Kind(rank: 13, discriminator: "")
        case .otherAggregate: Kind(rank: 14, discriminator: "")
        case .isolated: Kind(rank: 15, discriminator: "")
        case .otherHost: Kind(rank: 16, discriminator: "")
        case .lacksRole: Kind(rank: 17, discriminator: "")
        }
    }

    /// The classes every host has come first, in this order; own ones behind them.
    static func rank(of resourceClass: String) -> Int {
        [ResourceClass.vcpu, ResourceClass.memory, ResourceClass.disk].firstIndex(of: resourceClass) ?? 3
    }

    struct Kind: Hashable, Comparable {
        var rank: Int
        var discriminator: String

        static func < (left: Self, right: Self) -> Bool {
            (left.rank, left.discriminator) < (right.rank, right.discriminator)
        }
    }

    /// For several hosts of one kind: "2 short of memory (need 4096 MiB, best has 3100)".
    /// - Parameter best: The most that one of them has of what is scarce.
    func summary(count: Int, best: Int) -> String {
        guard case .short(let scarce, let need, _) = self, count > 1 else { return "\(count) \(text)" }
        return "\(count) \(Self.shortage(of: scarce, need: need, has: "best has \(best)"))"
    }
}
