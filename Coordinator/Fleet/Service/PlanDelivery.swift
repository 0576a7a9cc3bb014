import CoordinatorPlatform
import ProtocolModel

/// Decides what an agent that holds `position` is sent.
package enum PlanDelivery {
    package enum Choice: Equatable {
        /// Everything after this revision.
        case delta(after: Int64)
        case snapshot
    }

    /// A delta is only right while both sides count in the same history, the agent has not seen more than we know of
    /// (we were restored from a backup) and not less than it once confirmed (it was).
    package static func choose(agent: PlanPosition, plan: PlanStore.Position) -> Choice {
        guard agent.epoch == plan.epoch, agent.revision <= plan.revision, agent.revision >= plan.acknowledged else {
            return .snapshot
        }
        return .delta(after: agent.revision)
    }
}

/// Reads updates out of the store, with the specs as they are now.
package struct PlanReader: Sendable {
    private let store = PlanStore()
    private let providers: [ResourceKind: any PlanSpecProvider]
    /// Entries a message carries at most: the frame's size limit divided by a generous spec.
    static let batch = 256

    package init(providers: [any PlanSpecProvider]) {
        self.providers = Dictionary(providers.map { ($0.kind, $0) }, uniquingKeysWith: { first, _ in first })
    }

    package func snapshot(of node: NodeID, in reader: any SQLReader) throws -> PlanUpdate? {
        guard let position = try store.position(of: node, in: reader) else { return nil }
        let entries = try store.changes(of: node, after: -1, limit: Int(Int32.max), in: reader)
        return PlanUpdate(
            epoch: position.epoch, revision: position.revision, isSnapshot: true,
            entries: try complete(entries, node: node, in: reader))
    }

    /// - Returns: `nil` when nothing changed.
    package func delta(of node: NodeID, after revision: Int64, in reader: any SQLReader) throws -> PlanUpdate? {
        guard let position = try store.position(of: node, in: reader) else { return nil }
        let entries = try store.changes(of: node, after: revision, limit: Self.batch, in: reader)
        guard let last = entries.last else { return nil }
        return PlanUpdate(
            epoch: position.epoch, revision: last.generation, isSnapshot: false,
            entries: try complete(entries, node: node, in: reader))
    }

    /// Whether the slice that owns the resource still knows it.
    func hasSpec(_ key: ResourceKey, node: NodeID, in reader: any SQLReader) throws -> Bool {
        try providers[key.kind]?.specs(of: [key.id], on: node, in: reader)[key.id] != nil
    }

    /// Whether a server of the node is made from these bytes. A host is given no others: it could keep what projects that
    /// have nothing on it keep to themselves.
    /// - Parameter sha512: as in ``ProtocolModel/ImageSpec``.
    package func needsImage(_ sha512: String, on node: NodeID, in reader: any SQLReader) throws -> Bool {
        let servers = try store.wanted(.server, on: node, in: reader)
        let specs = try providers[.server]?.specs(of: servers, on: node, in: reader) ?? [:]
        return specs.values.contains { spec in
            if case .server(let server) = spec { server.image.sha512 == sha512 } else { false }
        }
    }

    private func complete(
        _ entries: [PlanStore.Entry], node: NodeID, in reader: any SQLReader
    ) throws -> [PlanEntry] {
        var wanted: [ResourceKind: [AnyID]] = [:]
        for entry in entries where entry.isWanted { wanted[entry.key.kind, default: []].append(entry.key.id) }
        var specs: [ResourceKey: ResourceSpec] = [:]
        for (kind, ids) in wanted {
            for (id, spec) in try providers[kind]?.specs(of: ids, on: node, in: reader) ?? [:] {
                specs[ResourceKey(kind: kind, id: id)] = spec
            }
        }
        return entries.map { PlanEntry(key: $0.key, generation: $0.generation, spec: specs[$0.key]) }
    }
}
