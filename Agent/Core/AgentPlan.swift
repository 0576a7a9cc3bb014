import ProtocolModel

/// The plan as the agent holds it in memory, beside the copy on disk; both take updates in by the same rules.
public struct AgentPlan: Sendable, Equatable {
    public private(set) var position: PlanPosition
    public private(set) var entries: [ResourceKey: PlanEntry]

    public init(position: PlanPosition = .none, entries: [PlanEntry] = []) {
        self.position = position
        self.entries = Dictionary(entries.map { ($0.key, $0) }, uniquingKeysWith: { _, last in last })
    }

    /// Whether an update is to be taken in. A snapshot always is: it is the whole truth, also after the coordinator went
    /// back in time. A delta is when it continues this very history and leads further.
    public static func accepts(_ update: PlanUpdate, at position: PlanPosition) -> Bool {
        update.isSnapshot || (update.epoch == position.epoch && update.revision > position.revision)
    }

    /// Takes an update in.
    /// - Returns: The entries that changed, as they were before (`nil` for new ones); empty when the update was ignored.
    @discardableResult
    public mutating func merge(_ update: PlanUpdate) -> [ResourceKey: PlanEntry?] {
        guard Self.accepts(update, at: position) else { return [:] }
        var changed: [ResourceKey: PlanEntry?] = [:]
        for entry in update.entries.map({ $0.replacing(entries[$0.key]) }) where entries[entry.key] != entry {
            changed[entry.key] = .some(entries[entry.key])
            entries[entry.key] = entry
        }
        if update.isSnapshot {
            let named = Set(update.entries.map(\.key))
            // Of kinds that are not known here, a coordinator that knows that names nothing.
            for (key, entry) in entries where entry.spec != nil && !named.contains(key) && key.kind.isKnown {
                changed[key] = .some(entry)
                entries[key] = PlanEntry(key: key, generation: entry.generation, spec: nil)
            }
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

    public func network(_ id: NetworkID) -> NetworkSpec? {
        guard case .network(let spec)? = entries[.network(id)]?.spec?.inForce else { return nil }
        return spec
    }
}
