import CoordinatorFleet
import CoordinatorPlatform
import Logging
import ProtocolModel
import Testing

private let second: Int64 = 1_000_000

@Suite("deadlines are for those who could be heard")
struct DeadlineTests {
    static let node = NodeID(high: 1, low: 1)

    private func registry(startedAt seconds: Int64, looks: [Int64] = []) -> SessionRegistry {
        let registry = SessionRegistry(startedAt: seconds * second)
        for look in looks { registry.lookOut(at: look * second) }
        return registry
    }

    private func isDue(_ registry: SessionRegistry, _ deadline: Int64, at now: Int64) -> Bool {
        registry.isDue(deadline * second, of: Self.node, at: now * second)
    }

    @Test("of a coordinator that was awake all the time, to the second")
    func awake() {
        let registry = registry(startedAt: 0, looks: Array(0...500))
        #expect(!isDue(registry, 500, at: 499))
        #expect(isDue(registry, 500, at: 500))
    }

    @Test("that ran out while the coordinator was away count once it has listened for a minute")
    func afterStart() {
        let registry = registry(startedAt: 1_000, looks: Array(1_000...1_060))
        #expect(!isDue(registry, 500, at: 1_001))
        #expect(!isDue(registry, 500, at: 1_059))
        #expect(isDue(registry, 500, at: 1_060))
        #expect(!isDue(registry, 1_010, at: 1_059), "nor those that ran out before anybody had come back")
    }

    @Test("that ran out in a pause, or a leap of the clock, count after a minute of listening")
    func afterPause() {
        let awake = Array(0...500) as [Int64]
        let slept = registry(startedAt: 0, looks: awake)
        #expect(!isDue(slept, 510, at: 4_000), "asked before the first look after it")
        for look in 4_000...4_060 as ClosedRange<Int64> { slept.lookOut(at: look * second) }
        #expect(!isDue(slept, 510, at: 4_055))
        #expect(isDue(slept, 510, at: 4_060))
    }

    @Test("wait a moment for a node that has just come back, and not for one that does so again and again")
    func afterReconnect() {
        let registry = registry(startedAt: 0, looks: Array(0...500))
        registry.register(.init(serial: 1, keepAlive: 5 * second), node: Self.node, at: 495 * second)
        #expect(!isDue(registry, 500, at: 500))
        for look in 501...1_100 as ClosedRange<Int64> { registry.lookOut(at: look * second) }
        #expect(isDue(registry, 500, at: 510))
        registry.register(.init(serial: 2, keepAlive: 5 * second), node: Self.node, at: 1_090 * second)
        #expect(!isDue(registry, 500, at: 1_091))
        #expect(isDue(registry, 500, at: 1_100))
    }

    @Test("an operation is not given up before its node could tell how it ended")
    func operations() async throws {
        let database = try await FleetFixture.database(with: Self.node)
        let consumer = FakeConsumer(.server)
        let registry = registry(startedAt: 1_000, looks: Array(1_000...1_100))
        let service = OperationService(consumers: [consumer], registry: registry)
        let core = FleetCore(clock: StillClock(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        _ = try await database.write {
            try core.operations.submit(.hardReboot(ServerID(high: 0, low: 1)), on: Self.node, deadline: second, in: $0)
        }
        #expect(try await !database.read { try service.hasOverdue(at: 1_005 * second, in: $0) })
        try await database.write { try service.expire(at: 1_005 * second, in: $0) }
        #expect(consumer.results.isEmpty)
        try await database.write { try service.expire(at: 1_075 * second, in: $0) }
        #expect(consumer.results.map(\.outcome) == [.expired])
    }

    @Test("operations of hosts that may still tell keep those of silent hosts waiting for nothing, however many")
    func crowd() async throws {
        let database = try await FleetFixture.database(with: Self.node)
        let consumer = FakeConsumer(.server)
        let registry = registry(startedAt: 0, looks: Array(0...100))
        // Just came back: what it did meanwhile it may tell yet.
        registry.register(.init(serial: 1, keepAlive: 5 * second), node: Self.node, at: 95 * second)
        let service = OperationService(consumers: [consumer], registry: registry)
        let core = FleetCore(clock: StillClock(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let silent = NodeID(high: 7, low: 7)
        try await database.write { transaction in
            for number in 1...450 {
                _ = try core.operations.submit(
                    .hardReboot(ServerID(high: 1, low: UInt64(number))), on: Self.node, deadline: 1,
                    in: transaction)
            }
            _ = try core.operations.submit(
                .hardReboot(ServerID(high: 0, low: 1)), on: silent, deadline: 2, in: transaction)
        }
        #expect(try await database.read { try service.hasOverdue(at: 100 * second, in: $0) })
        try await database.write { try service.expire(at: 100 * second, in: $0) }
        #expect(consumer.results.count == 1)
    }

    @Test("an operation that cannot be read keeps no other from its host, and goes by its deadline")
    func damaged() async throws {
        let database = try await FleetFixture.database(with: Self.node)
        let service = OperationService(consumers: [FakeConsumer(.server)])
        let core = FleetCore(clock: StillClock(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await database.write { transaction in
            for number in 1...2 as ClosedRange<UInt64> {
                _ = try core.operations.submit(
                    .hardReboot(ServerID(high: 0, low: number)), on: Self.node, deadline: 1, in: transaction)
            }
            try transaction.execute("UPDATE operations SET action = ? WHERE id = 1", [[0xFF, 0xFF] as [UInt8]])
        }
        #expect(try await database.read { try service.pending(of: Self.node, in: $0) }.count == 1)
        try await database.write { try service.expire(at: 100 * second, in: $0) }
        #expect(try await database.read { try $0.count("SELECT COUNT(*) FROM operations") } == 0)
    }

    @Test("an operation whose end is refused keeps no other waiting")
    func poison() async throws {
        let database = try await FleetFixture.database(with: Self.node)
        let poisoned = ServerID(high: 0, low: 1)
        let consumer = FakeConsumer(
            .server,
            ends: { action in
                guard case .hardReboot(poisoned) = action else { return nil }
                return StoreError.corrupt("a poisoned row")
            })
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let failures = PartFailures(logger: logger)
        let service = OperationService(consumers: [consumer], failures: failures)
        let core = FleetCore(clock: StillClock(), logger: logger)
        try await database.write { transaction in
            for server in [poisoned, ServerID(high: 0, low: 2)] {
                _ = try core.operations.submit(.hardReboot(server), on: Self.node, deadline: 0, in: transaction)
            }
        }
        try await database.write { try service.expire(at: 100 * second, in: $0) }
        #expect(consumer.results.count == 1 && failures.count == 1)
    }

    private struct StillClock: WallClock {
        func now() -> Int64 { 0 }
    }
}

@Suite("sessions that nobody woke")
struct SessionReminderTests {
    @Test("are woken within ten seconds where there is something to bring, and only there")
    func behind() async throws {
        let node = DeadlineTests.node
        let database = try await FleetFixture.database(with: node)
        let registry = SessionRegistry(startedAt: 0)
        let woken = Counter()
        registry.register(.init(serial: 1, keepAlive: 5 * second, wake: { woken.add() }), node: node, at: 0)
        let reminder = SessionReminder(registry: registry)
        try await reminder.pass(at: 0, database)
        #expect(woken.count == 0)
        // As after a commit whose hooks never ran.
        try await database.write { try $0.execute("UPDATE nodes SET plan_revision = 3") }
        try await reminder.pass(at: 9 * second, database)
        #expect(woken.count == 0)
        try await reminder.pass(at: 10 * second, database)
        #expect(woken.count == 1)
        try await database.write { try $0.execute("UPDATE nodes SET acknowledged_revision = 3") }
        try await reminder.pass(at: 20 * second, database)
        #expect(woken.count == 1)
    }
}
