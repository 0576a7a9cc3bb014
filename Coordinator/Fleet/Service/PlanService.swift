import CoordinatorPlatform
import ProtocolModel

/// Writes plans and wakes the sessions that deliver them.
public struct PlanService: PlanWriter {
    private let store = PlanStore()
    private let sessions: SessionRegistry

    public init(sessions: SessionRegistry) { self.sessions = sessions }

    @discardableResult
    public func put(_ key: ResourceKey, on node: NodeID, in transaction: any SQLTransaction) throws -> Int64 {
        try change(key, node: node, wanted: true, in: transaction)
    }

    @discardableResult
    public func remove(_ key: ResourceKey, from node: NodeID, in transaction: any SQLTransaction) throws -> Int64 {
        try change(key, node: node, wanted: false, in: transaction)
    }

    public func touch(_ key: ResourceKey, in transaction: any SQLTransaction) throws {
        for node in try store.holders(of: key, in: transaction) {
            try change(key, node: node, wanted: true, in: transaction)
        }
    }

    public func nodes(holding key: ResourceKey, in reader: any SQLReader) throws -> [NodeID] {
        try store.holders(of: key, in: reader)
    }

    @discardableResult
    private func change(
        _ key: ResourceKey, node: NodeID, wanted: Bool, in transaction: any SQLTransaction
    ) throws -> Int64 {
        let generation = try store.nextGeneration(of: node, in: transaction)
        try store.upsert(key, node: node, generation: generation, wanted: wanted, in: transaction)
        let sessions = sessions
        transaction.afterCommit { sessions.wake(node) }
        return generation
    }
}
