import ProtocolModel

/// Why a host was dropped. The first filter that fails names the reason, in the order of the cases.
public enum Refusal: Sendable, Hashable {
    case excluded(String)
    case otherHost(wanted: String)
    case otherZone(wanted: String)
    case notCompute
    case disabled(String?)
    case unhealthy(HostState.Health)
    case lacksNetworks([String])
    case lacksUEFI
    case short(of: Scarce, need: Int, has: Int)

    public enum Scarce: Int, Sendable, Hashable, CaseIterable {
        case vcpus, memory, disk

        var noun: String {
            switch self {
            case .vcpus: "VCPUs"
            case .memory: "memory"
            case .disk: "disk"
            }
        }

        /// With a leading space, or empty for a plain count.
        var unit: String {
            switch self {
            case .vcpus: ""
            case .memory: " MiB"
            case .disk: " GiB"
            }
        }
    }

    /// For one host: "short of memory (need 4096 MiB, has 3100)".
    public var text: String {
        switch self {
        case .excluded(let reason): "tried before: \(reason)"
        case .otherHost(let wanted): "not the host asked for (\(wanted))"
        case .otherZone(let wanted): "not in availability zone \(wanted)"
        case .notCompute: "runs no guests"
        case .disabled(let reason): reason.map { "disabled: \($0)" } ?? "disabled"
        case .unhealthy(.down): "down"
        case .unhealthy(let verdict): "\(verdict.rawValue): its agent has not been heard of lately"
        case .lacksNetworks(let names): "not connected to \(names.joined(separator: ", "))"
        case .lacksUEFI: "has no UEFI firmware"
        case .short(let scarce, let need, let has): "short of \(scarce.noun) (need \(need)\(scarce.unit), has \(has))"
        }
    }

    /// What refusals of one kind have in common, and the order in which a summary lists the kinds: what the person who
    /// asked can act on first.
    var kind: Kind {
        switch self {
        case .short(let scarce, _, _): Kind(rank: scarce.rawValue, discriminator: "")
        case .disabled(let reason): Kind(rank: 3, discriminator: reason ?? "")
        case .unhealthy(let verdict): Kind(rank: verdict == .down ? 4 : 5, discriminator: "")
        case .lacksNetworks(let names): Kind(rank: 6, discriminator: names.joined(separator: ","))
        case .lacksUEFI: Kind(rank: 7, discriminator: "")
        case .excluded(let reason): Kind(rank: 8, discriminator: reason)
        case .otherZone: Kind(rank: 9, discriminator: "")
        case .otherHost: Kind(rank: 10, discriminator: "")
        case .notCompute: Kind(rank: 11, discriminator: "")
        }
    }

    struct Kind: Hashable, Comparable {
        var rank: Int
        var discriminator: String

        static func < (left: Self, right: Self) -> Bool {
            (left.rank, left.discriminator) < (right.rank, right.discriminator)
        }
    }

    /// For several hosts of one kind: "2 short of memory (need 4096 MiB, best has 3100)".
    static func summary(of alike: [Refusal]) -> String {
        guard let first = alike.first else { return "" }
        if case .short(let scarce, let need, let has) = first, alike.count > 1 {
            let best = alike.reduce(has) { if case .short(_, _, let has) = $1 { max($0, has) } else { $0 } }
            return "\(alike.count) short of \(scarce.noun) (need \(need)\(scarce.unit), best has \(best))"
        }
        return "\(alike.count) \(first.text)"
    }
}
