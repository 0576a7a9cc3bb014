import ProtocolModel

/// What is kept although the coordinator's plan does not name it. Only an explicit removal, the end of its time or an
/// operator on the host ends it; when the plan names it again, it is taken back as it is.
public struct SetAside: Hashable, Sendable {
    /// Since when, in microseconds that the agent had run (``PlanStore/runningTime()``): no clock that is set, and no
    /// time in which nobody could have named it again, brings its end nearer.
    public var since: Int64
    /// So much went at once that somebody must have erred: kept until an operator says otherwise.
    public var isHeld: Bool

    public init(since: Int64, isHeld: Bool) {
        self.since = since
        self.isHeld = isHeld
    }
}

extension ResourceKind {
    /// Whether a tenant's data is lost with a resource of the kind: nothing of it is removed for being absent.
    public var holdsData: Bool { Self.dataKinds.contains(self) }

    private static let dataKinds: Set<ResourceKind> = [.server, .volume, .volumeSnapshot]
}

/// What becomes of resources that hold data and are absent from the plan, and of what they stand on. Pure.
extension AgentPlan {
    public typealias Changes = [ResourceKey: PlanEntry?]

    /// Fewer than this at once are an everyday matter, whatever part of the host they are.
    static let fewAtOnce = 3

    /// Sets aside what of these entries holds data, and what that stands on.
    mutating func keep(_ absent: [PlanEntry], at now: Int64) -> Changes {
        let servers = absent.map(\.key).filter(\.kind.holdsData)
        guard !servers.isEmpty else { return [:] }
        mark(servers, of: entries.values.count { $0.spec != nil && $0.key.kind.holdsData }, at: now)
        let needed = foundations
        for key in absent.map(\.key) where needed.contains(key) && setAside[key] == nil {
            setAside[key] = SetAside(since: now, isHeld: false)
        }
        var kept: Changes = [:]
        for entry in absent where entry.key.kind.holdsData || needed.contains(entry.key) {
            kept[entry.key] = .some(entry)
        }
        return kept
    }

    /// Sets aside what is on the host, ours, and named by no entry: the agent lost its plan, and the coordinator does not
    /// know it either.
    /// - Parameter total: How many of the kind are on the host.
    public mutating func keep(strays: [ResourceKey], of total: Int, at now: Int64) {
        mark(strays.filter { entries[$0] == nil }, of: total, at: now)
    }

    private mutating func mark(_ keys: [ResourceKey], of total: Int, at now: Int64) {
        let fresh = keys.filter { setAside[$0] == nil }
        let marked = fresh.count + setAside.keys.count { $0.kind.holdsData }
        let isMany = marked > Self.fewAtOnce && marked * 10 > total
        for key in fresh { setAside[key] = SetAside(since: now, isHeld: isMany) }
    }

    /// Turns what was set aside into entries that ask for removal, and lets go of what only they stood on.
    public mutating func release(_ keys: Set<ResourceKey>) -> Changes {
        var changed: Changes = [:]
        for key in keys where setAside[key] != nil { remove(key, &changed) }
        guard !changed.isEmpty else { return [:] }
        let needed = foundations
        for key in setAside.keys where !key.kind.holdsData && !needed.contains(key) { remove(key, &changed) }
        return changed
    }

    private mutating func remove(_ key: ResourceKey, _ changed: inout Changes) {
        changed[key] = .some(entries[key])
        setAside[key] = nil
        entries[key] = PlanEntry(key: key, generation: entries[key]?.generation ?? 0, spec: nil)
    }

    /// What holds data and has been kept for so many seconds in which the agent ran.
    public func due(at now: Int64, keepSeconds: Int64) -> Set<ResourceKey> {
        Set(
            setAside.filter { key, kept in
                key.kind.holdsData && !kept.isHeld && now - kept.since >= keepSeconds * 1_000_000
            }.keys)
    }

    /// The ports of the servers that are set aside, their networks and their groups: the guests run on.
    private var foundations: Set<ResourceKey> {
        var needed: Set<ResourceKey> = []
        for id in setAside.keys where id.kind == .server {
            for interface in server(id.id.cast())?.interfaces ?? [] {
                needed.formUnion([.port(interface.port), .network(interface.network)])
                needed.formUnion(port(interface.port)?.securityGroups.map(ResourceKey.securityGroup) ?? [])
            }
        }
        return needed
    }
}

/// What is set aside, in words for the operator.
extension AgentPlan {
    /// Lines are few and short: they are among the node's problems.
    static let namedProblems = 8

    public func keptProblems(at now: Int64, keepSeconds: Int64) -> [String] {
        let servers = setAside.filter(\.key.kind.holdsData).sorted { $0.key < $1.key }
        var problems = servers.prefix(Self.namedProblems).map { key, kept in
            "\(key) is not in the plan and is kept: \(kept.fate(at: now, keepSeconds: keepSeconds))"
        }
        let more = servers.count - problems.count
        if more > 0 { problems.append("\(more) more resources are not in the plan and are kept") }
        return problems
    }
}

extension SetAside {
    /// What becomes of it.
    public func fate(at now: Int64, keepSeconds: Int64) -> String {
        guard !isHeld else {
            return "too many went at once, so it stays until 'skerry-agent confirm-removals' is run on the host"
        }
        let left = max(0, since / 1_000_000 + keepSeconds - now / 1_000_000)
        return left < 86_400 ? "it is removed within a day" : "it is removed in \(left / 86_400) days"
    }
}
