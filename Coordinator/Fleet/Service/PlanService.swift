import CoordinatorPlatform
import ProtocolModel

/// Writes plans and wakes the sessions that deliver them.
public struct PlanService: PlanWriter {
    private let store = PlanStore()
    private let touches = TouchStore()
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

    /// Asks once more for removals whose end was not reported. Statuses have no receipts: a report that this coordinator
    /// took off the wire and lost in a crash is not made again, for the agent may have forgotten what is gone. Asked
    /// anew, it says so anew.
    /// - Parameter revision: What the agent's plan led to when its session began.
    package func repeatRemovals(from node: NodeID, upTo revision: Int64, on database: any SQLDatabase) async throws {
        guard try await database.read({ try !store.removals(of: node, upTo: revision, in: $0).isEmpty }) else { return }
        try await database.write { transaction in
            for key in try store.removals(of: node, upTo: revision, in: transaction) {
                try remove(key, from: node, in: transaction)
            }
        }
    }

    public func touch(_ key: ResourceKey, in transaction: any SQLTransaction) throws {
        let holders = try store.holders(of: key, limit: PlanSpreader.directHolders + 1, in: transaction)
        guard holders.count <= PlanSpreader.directHolders else {
            try touches.put(key, in: transaction)
            let sessions = sessions
            return transaction.afterCommit { sessions.spread.wake() }
        }
        for node in holders { try change(key, node: node, wanted: true, in: transaction) }
    }

    public func isLeaving(_ key: ResourceKey, _ node: NodeID, in reader: any SQLReader) throws -> Bool {
        try store.entry(key, node: node, in: reader).map { !$0.isWanted } ?? false
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
