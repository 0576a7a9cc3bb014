import CoordinatorFleet
import CoordinatorPlatform
import Logging
import ProtocolLink
import ProtocolModel
import Synchronization

/// Gives groups with as many members as it is told, or nothing.
struct FakeGroups: PlanSpecProvider {
    var kind = ResourceKind.securityGroup
    /// By the low half of the id; others have none.
    var members: @Sendable (UInt64) -> Int = { _ in 0 }

    func specs(of ids: [AnyID], on node: NodeID, in reader: any SQLReader) throws -> [AnyID: ResourceSpec] {
        var specs: [AnyID: ResourceSpec] = [:]
        for id in ids {
            let members = (0..<members(id.low)).map { IPAddress(family: .ipv6, bits: UInt128($0)) }
            specs[id] = .securityGroup(SecurityGroupSpec(id: id.cast(), rules: [], members: members))
        }
        return specs
    }

    static func key(_ number: UInt64) -> ResourceKey { .securityGroup(SecurityGroupID(high: 0, low: number)) }
}

/// Writes what it hears into a table, and refuses what it is told to.
final class FakeConsumer: PlanStatusConsumer, OperationConsumer {
    let kind: ResourceKind
    let refuses: @Sendable (ResourceStatus) -> (any Error)?
    let ends: @Sendable (Operation.Action) -> (any Error)?
    private let state = Mutex<(statuses: [ResourceStatus], results: [OperationResult])>(([], []))

    init(
        _ kind: ResourceKind, refuses: @escaping @Sendable (ResourceStatus) -> (any Error)? = { _ in nil },
        ends: @escaping @Sendable (Operation.Action) -> (any Error)? = { _ in nil }
    ) {
        self.kind = kind
        self.ends = ends
        self.refuses = refuses
    }

    var statuses: [ResourceStatus] { state.withLock { $0.statuses } }
    var results: [OperationResult] { state.withLock { $0.results } }

    func consume(
        _ status: ResourceStatus, from node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute("UPDATE nodes SET disabled_reason = ? WHERE uuid = ?", [status.key.id, node])
        if let error = refuses(status) { throw error }
        state.withLock { $0.statuses.append(status) }
    }

    func operationEnded(
        _ result: OperationResult, action: Operation.Action, from node: NodeID, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        if let error = ends(action) { throw error }
        state.withLock { $0.results.append(result) }
    }
}

/// Counts from any thread.
final class Counter: Sendable {
    private let value = Mutex(0)
    var count: Int { value.withLock { $0 } }
    func add() { value.withLock { $0 += 1 } }
}

/// A fleet of one node, and sessions of its agent one after the other.
final class FakeFleet: Sendable {
    static let node = NodeID(high: 1, low: 1)
    let database: EmbeddedDatabase
    let plan = PlanService(sessions: SessionRegistry(startedAt: 0))
    let consumer: FakeConsumer
    let figures = FleetFigures()
    private let plans: PlanReader
    private let intake: StatusIntake
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init(
        _ provider: FakeGroups, _ consumer: FakeConsumer, planBytes: Int = PlanBudget.planBytes
    ) async throws {
        database = try await FleetFixture.database(with: Self.node)
        self.consumer = consumer
        plans = PlanReader(providers: [provider], planBytes: planBytes)
        intake = StatusIntake(consumers: [consumer], plan: plan, plans: plans, figures: figures, logger: logger)
    }

    struct StoppedClock: WallClock {
        func now() -> Int64 { 1_000 }
    }

    /// One session: all that is there to be sent is sent.
    func session(
        _ capabilities: AgentCapabilities?, after revision: Int64 = 0, snapshot: Bool = false
    ) async -> [LinkMessage] {
        let sent = Mutex<[LinkMessage]>([])
        let hello = AgentHello(
            node: Self.node, agentVersion: "0.0.9", position: PlanPosition(epoch: 1, revision: revision), bootID: "b",
            capabilities: capabilities)
        let courier = PlanCourier(
            session: .init(hello: hello, willSendSnapshot: snapshot) { message in sent.withLock { $0.append(message) }
            },
            node: Self.node, database: database, plans: plans, operations: OperationService(consumers: [consumer]),
            intake: intake, plan: plan, figures: figures, clock: StoppedClock(), logger: logger)
        let (signals, signal) = AsyncStream.makeStream(of: Void.self)
        signal.yield()
        signal.finish()
        await courier.deliver(signals)
        return sent.withLock { $0 }
    }

    func take(_ statuses: [ResourceStatus]) async throws {
        try await database.write { [intake] in try intake.take(statuses, from: Self.node, at: 1, in: $0) }
    }

    func put(_ keys: ResourceKey...) async throws {
        try await database.write { [plan] in for key in keys { try plan.put(key, on: Self.node, in: $0) } }
    }

    func remove(_ key: ResourceKey) async throws {
        try await database.write { [plan] in _ = try plan.remove(key, from: Self.node, in: $0) }
    }

    func count(_ table: String) async throws -> Int {
        try await database.read { try $0.count("SELECT COUNT(*) FROM \(table)") }
    }
}

extension [LinkMessage] {
    var updates: [PlanUpdate] {
        compactMap { if case .plan(let update) = $0 { update } else { nil } }
    }
}
