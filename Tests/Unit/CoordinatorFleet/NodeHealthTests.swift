import CoordinatorFleet
import CoordinatorPlatform
import Logging
import ProtocolModel
import Synchronization
import Testing

private let second: Int64 = 1_000_000

struct NodeHealthTests {
    // MARK: Pauses of one's own

    struct Case: Sendable {
        var name: String
        /// When the judge looked, in seconds.
        var looks: [Int64]
        var heard: Int64
        var now: Int64
        var silence: Int64
    }

    static let cases = [
        Case(name: "awake all the time", looks: Array(0...20), heard: 5, now: 20, silence: 15),
        Case(name: "a little late is no pause", looks: [0, 3, 6, 9, 12, 15], heard: 0, now: 15, silence: 15),
        Case(name: "asleep for 30 s since it was heard", looks: [0, 1, 31], heard: 1, now: 31, silence: 3),
        Case(
            name: "silent before and after the sleep", looks: [0, 1, 2, 3, 33, 34, 35, 36, 37, 38], heard: 0, now: 38,
            silence: 9),
        Case(name: "asleep before it was heard", looks: [0, 30, 31, 32, 33, 34], heard: 33, now: 34, silence: 1),
        Case(name: "two sleeps", looks: [0, 10, 11, 12, 13, 23, 24, 25, 26], heard: 0, now: 26, silence: 8),
        Case(
            name: "starved again and again", looks: Array(stride(from: 0, through: 80, by: 4)), heard: 0, now: 80,
            silence: 59),
        Case(name: "a clock that was set back", looks: [100, 50, 51], heard: 50, now: 51, silence: 1),
        Case(name: "heard after the look's time", looks: [0, 1], heard: 2, now: 1, silence: 0)
    ]

    @Test("what the coordinator slept through is nobody's silence", arguments: cases.indices)
    func ownPauses(_ index: Int) {
        let row = Self.cases[index]
        var pauses = OwnPauses()
        for look in row.looks { pauses.look(at: look * second) }
        #expect(pauses.silence(since: row.heard * second, at: row.now * second) == row.silence * second, "\(row.name)")
    }

    @Test("pauses that are remembered are few")
    func boundedPauses() {
        var pauses = OwnPauses()
        for look in 0..<1_000 { pauses.look(at: Int64(look) * 10 * second) }
        #expect(pauses.pauses.count <= 64)
    }

    @Test("who promised to speak rarely is suspected late", arguments: [(1, 15), (5, 15), (10, 30), (60, 180)])
    func keepAlive(_ period: Int64, _ suspectAfter: Int64) {
        let tracker = NodeHealthTracker()
        func verdict(_ silence: Int64) -> HealthVerdict {
            tracker.verdict(
                current: .up, isConnected: true, silence: silence * second, keepAlive: period * second)
        }
        #expect(verdict(suspectAfter - 1) == .up)
        #expect(verdict(suspectAfter) == .suspect)
        #expect(verdict(max(60, 2 * suspectAfter)) == .down)
    }

    // MARK: Nodes

    struct Fleet {
        let database: EmbeddedDatabase
        let registry = SessionRegistry(startedAt: 0)
        let heard = Heard()
        let service: NodeService
        var nodes: [NodeID] = []
        var signs: [SignsOfLife] = []

        init(count: Int) async throws {
            database = try await FleetFixture.database()
            service = NodeService(
                registry: registry, observers: [heard], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let service = service
            nodes = try await database.write { transaction in
                let token = try service.makeToken(
                    authority: Array(repeating: 7, count: 32), uses: count, lifetime: 60 * second, now: 0,
                    in: transaction)
                return try (0..<count).compactMap {
                    try service.admit(secret: token.secret, hostname: "host-\($0)", at: 0, in: transaction)
                }
            }
            for (serial, node) in nodes.enumerated() {
                signs.append(
                    registry.register(
                        SessionRegistry.Handle(serial: UInt64(serial), keepAlive: 5 * second), node: node, at: 0))
                registry.markReported(UInt64(serial), node: node)
            }
        }

        /// - Returns: Whether there was anything to write.
        @discardableResult
        func judge(at seconds: Int64) async throws -> Bool {
            let service = service
            guard try await database.read({ try service.needsJudging(at: seconds * second, in: $0) }) else {
                return false
            }
            try await database.write { try service.judge(at: seconds * second, in: $0) }
            return true
        }

        func health() async throws -> [HealthVerdict] {
            let service = service
            return try await database.read { try service.nodes(in: $0).map(\.health) }
        }
    }

    final class Heard: NodeObserver {
        let verdicts = Mutex<[HealthVerdict]>([])
        let reports = Mutex(0)
        let refuses = Mutex<NodeID?>(nil)

        func nodeReported(
            _ report: NodeReport, by node: NodeID, at now: Int64, in transaction: any SQLTransaction
        ) throws { reports.withLock { $0 += 1 } }
        func nodeHealthChanged(
            _ health: HealthVerdict, of node: NodeID, at now: Int64, in transaction: any SQLTransaction
        ) throws {
            if refuses.withLock({ $0 == node }) { throw StoreError.corrupt("a poisoned row") }
            verdicts.withLock { $0.append(health) }
        }
        func nodeRemoved(_ node: NodeID, at now: Int64, in transaction: any SQLTransaction) throws {}
    }

    @Test("keep-alive alone keeps a node up, however rarely it tells how it fares")
    func keepAliveIsLife() async throws {
        let fleet = try await Fleet(count: 20)
        try await fleet.judge(at: 0)
        for now in 1...120 as ClosedRange<Int64> {
            if now % 5 == 0 { for signs in fleet.signs { signs.note(now * second) } }
            #expect(try await !fleet.judge(at: now))
        }
        #expect(try await fleet.health() == Array(repeating: .up, count: 20))
    }

    @Test("silence is found out, told once a step, and one frame mends it")
    func silence() async throws {
        let fleet = try await Fleet(count: 2)
        for now in 0...70 as ClosedRange<Int64> {
            fleet.signs[0].note(now * second)
            try await fleet.judge(at: now)
        }
        #expect(try await fleet.health() == [.up, .down])
        fleet.signs[1].note(70 * second)
        try await fleet.judge(at: 71)
        #expect(try await fleet.health() == [.up, .up])
        #expect(fleet.heard.verdicts.withLock { $0 } == [.up, .up, .suspect, .down, .up])
    }

    @Test("a judge who comes late suspects nobody for it")
    func lateJudge() async throws {
        let fleet = try await Fleet(count: 5)
        for now in 0...3 as ClosedRange<Int64> { try await fleet.judge(at: now) }
        // The process stood still for two minutes; frames are read a moment after the judge's first look.
        try await fleet.judge(at: 123)
        #expect(try await fleet.health() == Array(repeating: .up, count: 5))
        for signs in fleet.signs.dropLast() { signs.note(124 * second) }
        for now in 124...138 as ClosedRange<Int64> { try await fleet.judge(at: now) }
        #expect(try await fleet.health() == Array(repeating: .up, count: 4) + [.suspect])
    }

    @Test("a dead host is down also for a coordinator that is starved again and again")
    func starved() async throws {
        let fleet = try await Fleet(count: 2)
        try await fleet.judge(at: 0)
        for now in stride(from: Int64(5), through: 150, by: 5) {
            fleet.signs[0].note(now * second)
            try await fleet.judge(at: now)
        }
        #expect(try await fleet.health() == [.up, .down])
    }

    @Test("a clock that is set back keeps no dead host up")
    func clockSetBack() async throws {
        let fleet = try await Fleet(count: 2)
        for now in 0...4 as ClosedRange<Int64> {
            fleet.registry.lookOut(at: (now + 10_000) * second)
            for signs in fleet.signs { signs.note((now + 10_000) * second) }
            try await fleet.judge(at: now + 10_000)
        }
        // From here on, it is 100, and the second says nothing any more.
        for now in 100...170 as ClosedRange<Int64> {
            fleet.registry.lookOut(at: now * second)
            fleet.signs[0].note(now * second)
            try await fleet.judge(at: now)
        }
        #expect(try await fleet.health() == [.up, .down])
    }

    @Test("a look that was overtaken by another is no clock that was set back")
    func overtaken() {
        let registry = SessionRegistry(startedAt: 0)
        registry.lookOut(at: 100 * second)
        registry.look(at: 70 * second)
        registry.lookOut(at: 101 * second)
        #expect(registry.look(at: 101 * second).pauses.isEmpty)
    }

    @Test("a report of a node that was removed meanwhile makes nothing")
    func reportAfterRemoval() async throws {
        let fleet = try await Fleet(count: 1)
        let (service, node) = (fleet.service, fleet.nodes[0])
        try await fleet.database.write { transaction in
            #expect(try service.remove(node, at: 1, in: transaction))
            try service.report(FleetFixture.report, by: node, at: 2, in: transaction)
        }
        #expect(fleet.heard.reports.withLock { $0 } == 0)
    }

    @Test("a node on which no verdict can be written costs no other its own")
    func poison() async throws {
        let fleet = try await Fleet(count: 3)
        let poisoned = fleet.nodes[1]
        fleet.heard.refuses.withLock { $0 = poisoned }
        try await fleet.judge(at: 0)
        #expect(try await fleet.health() == [.up, .down, .up])
    }

    @Test("a disabled or removed node is judged by the row it has now")
    func rowsChange() async throws {
        let fleet = try await Fleet(count: 2)
        try await fleet.judge(at: 0)
        let (service, nodes) = (fleet.service, fleet.nodes)
        try await fleet.database.write { transaction in
            try service.setEnabled(false, reason: "fan", node: nodes[0], at: 1, in: transaction)
            #expect(try service.remove(nodes[1], at: 1, in: transaction))
        }
        for now in 1...20 as ClosedRange<Int64> { try await fleet.judge(at: now) }
        let left = try await fleet.database.read { try service.nodes(in: $0) }
        #expect(left.map(\.health) == [.suspect])
        #expect(left.map(\.disabledReason) == ["fan"])
    }
}
