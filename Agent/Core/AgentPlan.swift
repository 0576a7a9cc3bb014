import ProtocolModel

/// The plan as the agent holds it in memory, beside the copy on disk; both take updates in by the same rules.
public struct AgentPlan: Sendable, Equatable {
    public private(set) var position: PlanPosition
    public internal(set) var entries: [ResourceKey: PlanEntry]
    /// What is kept although the coordinator's plan does not name it; its entry, if there is one, stays as it was.
    public internal(set) var setAside: [ResourceKey: SetAside]

    public init(
        position: PlanPosition = .none, entries: [PlanEntry] = [], setAside: [ResourceKey: SetAside] = [:]
    ) {
        self.position = position
        self.setAside = setAside
        self.entries = Dictionary(entries.map { ($0.key, $0) }, uniquingKeysWith: { _, last in last })
    }

    /// Whether an update is to be taken in. A snapshot always is: it is the whole truth, also after the coordinator went
    /// back in time. A delta is when it continues this very history and leads further.
    public static func accepts(_ update: PlanUpdate, at position: PlanPosition) -> Bool {
        update.isSnapshot || (update.epoch == position.epoch && update.revision > position.revision)
    }

    /// Takes an update in. What a snapshot does not name goes, but for what holds a tenant's data: absence destroys none
    /// (``SetAside``).
    /// - Parameter now: The agent's running time in microseconds.
    /// - Returns: The entries that changed, as they were before (`nil` for new ones); empty when the update was ignored.
    @discardableResult
    public mutating func merge(_ update: PlanUpdate, at now: Int64) -> Changes {
        guard Self.accepts(update, at: position) else { return [:] }
        var changed: Changes = [:]
        for entry in update.entries where setAside.removeValue(forKey: entry.key) != nil {
            changed[entry.key] = .some(entries[entry.key])
        }
        for entry in update.entries.map({ $0.replacing(entries[$0.key]) }) where entries[entry.key] != entry {
            changed[entry.key] = .some(entries[entry.key])
            entries[entry.key] = entry
        }
        if update.isSnapshot {
            let named = Set(update.entries.map(\.key))
            // Of kinds that are not known here, a coordinator that knows that names nothing.
            let absent = entries.values.filter { $0.spec != nil && !named.contains($0.key) && $0.key.kind.isKnown }
            let kept = keep(absent, at: now)
            for entry in absent where kept[entry.key] == nil {
                setAside[entry.key] = nil
                entries[entry.key] = PlanEntry(key: entry.key, generation: entry.generation, spec: nil)
                changed[entry.key] = .some(entry)
            }
            changed.merge(kept) { $1 }
        }
        position = PlanPosition(epoch: update.epoch, revision: update.revision)
        return changed
    }

    /// Drops an entry that asked for removal, unless it changed since `generation`.
    public mutating func forget(_ key: ResourceKey, generation: Int64) {
        guard let entry = entries[key], entry.generation == generation, entry.spec == nil else { return }
        entries[key] = nil
    }

    public func server(_ id: ServerID) -> ServerSpec? {
        guard case .server(let spec)? = entries[.server(id)]?.spec?.inForce else { return nil }
        return spec
    }

    public func port(_ id: PortID) -> PortSpec? {
        guard case .port(let spec)? = entries[.port(id)]?.spec?.inForce else { return nil }
        return spec
    }

    public func securityGroup(_ id: SecurityGroupID) -> SecurityGroupSpec? {
        guard case .securityGroup(let spec)? = entries[.securityGroup(id)]?.spec?.inForce else { return nil }
        return spec
    }

    public func network(_ id: NetworkID) -> NetworkSpec? {
        guard case .network(let spec)? = entries[.network(id)]?.spec?.inForce else { return nil }
        return spec
    }
}
