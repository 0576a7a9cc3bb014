import CoordinatorFleet
import CoordinatorPlatform
import Logging
import ProtocolModel
import Synchronization
import Testing

@Suite("what many nodes have in common")
struct PlanSpreaderTests {
    static let group = FakeGroups.key(7)
    let sessions = SessionRegistry(startedAt: 0)
    var plan: PlanService { PlanService(sessions: sessions) }

    private static func node(_ number: Int) -> NodeID { NodeID(high: 9, low: UInt64(number)) }

    /// So many nodes, each with an entry for the group.
    private func database(nodes: Int) async throws -> EmbeddedDatabase {
        let database = try await FleetFixture.database()
        try await database.write { [plan] transaction in
            for number in 0..<nodes {
                try transaction.execute(
                    """
                    INSERT INTO nodes (uuid, hostname, health, enabled, last_seen, created_at, plan_epoch,
                        plan_revision, acknowledged_revision) VALUES (?, ?, 'up', 1, 0, 0, 1, 0, 0)
                    """, [Self.node(number), "host-\(number)"])
                try plan.put(Self.group, on: Self.node(number), in: transaction)
            }
        }
        return database
    }

    private func generations(_ database: EmbeddedDatabase) async throws -> [Int64] {
        try await database.read { reader in
            try reader.query(
                "SELECT generation, plan_revision FROM plan_entries JOIN nodes ON uuid = node ORDER BY plan_entries.id"
            ) { row in
                #expect(row.integer(0) == row.integer(1))
                return row.integer(0)
            }
        }
    }

    private func touch(_ database: EmbeddedDatabase) async throws {
        try await database.write { [plan] in try plan.touch(Self.group, in: $0) }
    }

    private func spreader(_ database: any SQLDatabase) -> PlanSpreader {
        PlanSpreader(
            database: database, sessions: sessions, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test("few nodes are told in the transaction of the change itself")
    func few() async throws {
        let database = try await database(nodes: PlanSpreader.directHolders)
        try await touch(database)
        #expect(try await generations(database) == Array(repeating: 2, count: PlanSpreader.directHolders))
        #expect(await spreader(database).spread() == 0)
    }

    @Test("many are told afterwards, all of them, once for all changes since, and woken")
    func many() async throws {
        let count = 300
        let database = try await database(nodes: count)
        let woken = Mutex<Set<Int>>([])
        for number in 0..<count {
            sessions.register(
                .init(serial: 1, keepAlive: 1, wake: { woken.withLock { _ = $0.insert(number) } }),
                node: Self.node(number), at: 0)
        }
        for _ in 0..<3 { try await touch(database) }
        #expect(try await generations(database) == Array(repeating: 1, count: count))
        #expect(await spreader(database).spread() == count)
        #expect(try await generations(database) == Array(repeating: 2, count: count))
        #expect(woken.withLock { $0.count } == count)
        #expect(await spreader(database).spread() == 0)
    }

    @Test("a change while nodes are being told is told to all of them once more")
    func meanwhile() async throws {
        let count = 300
        let database = try await database(nodes: count)
        try await touch(database)
        // A coordinator that died after its first transaction.
        try await database.write { transaction in
            let store = TouchStore()
            let line = try #require(try store.line(Self.group, in: transaction))
            let holders = try store.holders(after: line, limit: 100, in: transaction)
            try store.mark(holders, in: transaction)
            try store.setDone(try #require(holders.last).row, Self.group, in: transaction)
        }
        try await touch(database)
        let spreader = spreader(database)
        #expect(await spreader.spread() == count - 100)
        #expect(await spreader.spread() == count)
        #expect(
            try await generations(database)
                == Array(repeating: 3, count: 100) + Array(repeating: 3, count: count - 100))
        #expect(await spreader.spread() == 0)
    }

    @Test("the pause grows with what telling costs, and ends")
    func pause() {
        #expect(PlanSpreader.pause(after: 10) == .milliseconds(100))
        #expect(PlanSpreader.pause(after: 500) == .seconds(1))
        #expect(PlanSpreader.pause(after: 100_000) == .seconds(2))
    }
}
