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
    private let registry: SessionRegistry?
    private let failures: PartFailures?
    /// How long after its deadline an operation without a result is given up: the agent may have begun it just before.
    static let grace: Int64 = 10_000_000

    /// - Parameter registry: Says whether what was not said in time could be heard; none believes the clock alone.
    package init(
        consumers: [any OperationConsumer], registry: SessionRegistry? = nil, failures: PartFailures? = nil
    ) {
        self.registry = registry
        self.failures = failures
        self.consumers = Dictionary(consumers.map { ($0.kind, $0) }, uniquingKeysWith: { first, _ in first })
    }

    package func pending(of node: NodeID, in reader: any SQLReader) throws -> [Operation] {
        try store.pending(of: node, in: reader)
    }

    /// Whether an operation that has not ended makes an image's data, on that node.
    package func makes(
        _ image: ImageID, by operation: OperationID, on node: NodeID, in reader: any SQLReader
    ) throws -> Bool {
        switch try store.find(operation, node: node, in: reader)?.action {
        case .snapshot(_, let made)?, .uploadVolume(_, let made, _)?: made == image
        default: false
        }
    }

    /// Takes a result in; a repeated one changes nothing.
    package func ended(
        _ result: OperationResult, from node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard let operation = try store.take(result.id, node: node, in: transaction) else { return }
        guard let kind = operation.action.resource?.kind else { return }
        try consumers[kind]?.operationEnded(result, action: operation.action, from: node, at: now, in: transaction)
    }

    package func hasOverdue(at now: Int64, in reader: any SQLReader) throws -> Bool {
        try !store.overdue(at: now - Self.grace, in: reader) { isDue($0, at: now) }.isEmpty
    }

    /// Ends what nobody answered in time, each apart.
    package func expire(at now: Int64, in transaction: any SQLTransaction) throws {
        let overdue = try store.overdue(at: now - Self.grace, in: transaction) { isDue($0, at: now) }
        try transaction.apart(overdue, "ending of an operation", \.id.text, failures) { pending in
            try ended(
                OperationResult(id: pending.id, outcome: .expired), from: pending.node, at: now, in: transaction)
        }
    }

    private func isDue(_ overdue: OperationStore.Overdue, at now: Int64) -> Bool {
        registry?.isDue(overdue.deadline + Self.grace, of: overdue.node, at: now) ?? true
    }
}
