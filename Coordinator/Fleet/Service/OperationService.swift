import CoordinatorPlatform
import ProtocolModel

/// Asks nodes to do things: durable operations become rows, questions stay in memory.
struct OperationQueue: OperationDispatcher {
    private let store = OperationStore()
    private let registry: SessionRegistry
    private let clock: any WallClock

    init(registry: SessionRegistry, clock: any WallClock) {
        self.registry = registry
        self.clock = clock
    }

    func submit(
        _ action: Operation.Action, on node: NodeID, deadline: Int64, in transaction: any SQLTransaction
    ) throws -> OperationID {
        let operation = Operation(id: .random(), deadline: deadline, action: action)
        try store.insert(operation, node: node, in: transaction)
        let registry = registry
        transaction.afterCommit { registry.wake(node) }
        return operation.id
    }

    func ask(_ action: Operation.Action, on node: NodeID, within limit: Duration) async throws -> OperationResult {
        guard registry.connected().contains(node) else { throw FleetError.nodeAway(node.text) }
        let operation = Operation(
            id: .random(), deadline: clock.now() + Int64(limit.components.seconds) * 1_000_000, action: action)
        let timer = Task { [registry] in
            try await Task.sleep(for: limit)
            registry.giveUp(operation.id)
        }
        defer { timer.cancel() }
        guard let result = await registry.ask(operation, node: node) else { throw FleetError.timedOut(node.text) }
        return result
    }
}

/// Durable operations until they end.
package struct OperationService: Sendable {
    private let store = OperationStore()
    private let consumers: [ResourceKind: any OperationConsumer]
    /// How long after its deadline an operation without a result is given up: the agent may have begun it just before.
    static let grace: Int64 = 10_000_000

    package init(consumers: [any OperationConsumer]) {
        self.consumers = Dictionary(consumers.map { ($0.kind, $0) }, uniquingKeysWith: { first, _ in first })
    }

    func pending(of node: NodeID, in reader: any SQLReader) throws -> [Operation] {
        try store.pending(of: node, in: reader)
    }

    /// Takes a result in; a repeated one changes nothing.
    func ended(
        _ result: OperationResult, from node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard let operation = try store.take(result.id, node: node, in: transaction) else { return }
        guard let kind = operation.action.resource?.kind else { return }
        try consumers[kind]?.operationEnded(result, action: operation.action, from: node, at: now, in: transaction)
    }

    func hasOverdue(at now: Int64, in reader: any SQLReader) throws -> Bool {
        !(try store.overdue(at: now - Self.grace, in: reader).isEmpty)
    }

    /// Ends what nobody answered in time.
    func expire(at now: Int64, in transaction: any SQLTransaction) throws {
        for pending in try store.overdue(at: now - Self.grace, in: transaction) {
            try ended(
                OperationResult(id: pending.operation.id, outcome: .expired), from: pending.node, at: now,
                in: transaction)
        }
    }
}
