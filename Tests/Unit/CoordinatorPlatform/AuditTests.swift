import CoordinatorPlatform
import ProtocolModel
import Synchronization
import Testing

@Suite("audit")
struct AuditTests {
    static func event(
        _ action: String = "compute.server.create", at time: Int64 = 1_000, user: String = "u",
        outcome: String = "success",
        from address: String = "192.0.2.1"
    ) -> Event {
        Event(
            time: time, requestID: "req-1", action: action, user: user, userName: "name", project: "p", target: "t",
            outcome: outcome, remoteAddress: address)
    }

    static let form = CADF(cloud: "https://cloud.test")

    @Test("what succeeded, as CADF")
    func success() {
        let made = Self.form.render(StoredEvent(number: 7, event: Self.event(at: 1_767_225_600_123_456)))
        #expect(made["typeURI"] == "http://schemas.dmtf.org/cloud/audit/1.0/event")
        #expect(made["eventType"] == "activity" && made["outcome"] == "success" && made["action"] == "create")
        #expect(made["eventTime"] == "2026-01-01T00:00:00.123456+00:00")
        #expect(
            made["initiator"] == [
                "typeURI": "service/security/account/user", "id": "u", "name": "name", "project_id": "p",
                "request_id": "req-1", "host": ["address": "192.0.2.1"]
            ])
        #expect(made["target"] == ["typeURI": "compute/server", "id": "t"])
        #expect(made["observer"]?["typeURI"] == "service/compute")
        #expect(made["reason"] == nil && made["measurements"] == nil)
    }

    @Test("what was refused, with the rule and how often")
    func refusal() {
        var event = Self.event("identity.user.update", outcome: "403 You are not authorized.")
        event.rule = "identity:update_user"
        event.count = 17
        let made = Self.form.render(StoredEvent(number: 8, event: event))
        #expect(made["outcome"] == "failure" && made["target"]?["typeURI"] == "data/security/account/user")
        #expect(
            made["reason"] == [
                "reasonType": "HTTP: You are not authorized.", "reasonCode": "403", "policyType": "oslo.policy",
                "policyId": "identity:update_user"
            ])
        #expect(made["measurements"]?.arrayValue?.first?["result"] == 17)
    }

    @Test(
        "actions in CADF's taxonomy",
        arguments: [
            ("identity.authenticate", "authenticate", "service/security/account/user"),
            ("authenticate", "authenticate", "service/security/account/user"),
            ("identity.token.revoke", "revoke", "data/security/token"),
            ("identity.project.delete", "delete", "data/security/project"),
            ("image.image.upload", "update/upload", "data/image"),
            ("image.tag.add", "update/add", "data/image/tag"),
            ("compute.server.metadata.set", "update", "compute/server/metadata"),
            ("placement.trait.ensure", "create", "service/placement/trait"),
            ("fleet.node.remove", "delete", "compute/node"), ("", "unknown", "service/security/account/user")
        ])
    func taxonomy(name: String, action: String, target: String) {
        let made = Self.form.render(StoredEvent(number: 1, event: Self.event(name)))
        #expect(made["action"]?.stringValue == action && made["target"]?["typeURI"]?.stringValue == target)
    }

    @Test("an event keeps its id, and no other has it")
    func identity() {
        let one = StoredEvent(number: 1, event: Self.event()), two = StoredEvent(number: 2, event: Self.event())
        #expect(Self.form.render(one)["id"] == Self.form.render(one)["id"])
        #expect(Self.form.render(one)["id"] != Self.form.render(two)["id"])
        #expect(Self.form.render(one)["id"] != CADF(cloud: "https://other.test").render(one)["id"])
    }

    @Test("syslog's frame")
    func syslog() {
        let format = SyslogFormat(Self.form, hostname: "ho st\n", process: 42)
        let done = String(decoding: format.render(StoredEvent(number: 1, event: Self.event(at: 0))), as: UTF8.self)
        #expect(done.hasPrefix("<109>1 1970-01-01T00:00:00.000000Z host skerry-coordinator 42 audit - {"))
        let refused = StoredEvent(number: 1, event: Self.event(outcome: "401 x"))
        #expect(String(decoding: format.render(refused), as: UTF8.self).hasPrefix("<108>1 "))
    }
}

@Suite("refusals in the event log")
struct RefusalWindowTests {
    static let refused = AuditTests.event("identity.authenticate", outcome: "401 no")

    @Test("the first is told at once, the rest once a minute")
    func gathers() {
        var windows = RefusalWindows()
        for second in 0..<10 {
            var event = Self.refused
            event.time = Int64(second) * 1_000_000
            windows.note(event)
        }
        #expect(windows.drain(now: 10_000_000).map(\.count) == [1])
        #expect(windows.drain(now: 59_000_000) == [])
        let rest = windows.drain(now: 60_000_000)
        #expect(rest.map(\.count) == [9] && rest.first?.time == 9_000_000)
        #expect(windows.drain(now: 200_000_000) == [])
        windows.note(Self.refused)
        #expect(windows.drain(now: 200_000_000).map(\.count) == [1])
    }

    @Test("addresses, users and statuses are told apart; paths tried by nobody are not")
    func kinds() {
        var windows = RefusalWindows()
        windows.note(Self.refused)
        windows.note(AuditTests.event("identity.authenticate", outcome: "401 no", from: "192.0.2.2"))
        windows.note(AuditTests.event("identity.authenticate", user: "v", outcome: "401 no"))
        windows.note(AuditTests.event("image.image.create", outcome: "403 no"))
        #expect(windows.drain(now: 0).count == 4)
        windows.note(AuditTests.event("image.image.create", user: "", outcome: "401 no"))
        windows.note(AuditTests.event("image.image.delete", user: "", outcome: "401 no"))
        #expect(windows.drain(now: 0).count == 1)
    }

    @Test("a flood from everywhere comes to a bounded number of lines, and every refusal is counted")
    func flood() {
        var windows = RefusalWindows()
        for number in 0..<100_000 {
            windows.note(AuditTests.event("identity.authenticate", outcome: "401 no", from: "2001:db8::\(number)"))
        }
        var lines = windows.drain(now: 1_000)
        #expect(lines.count == RefusalWindows.kindLimit)
        lines += windows.drain(now: 1_000, isLast: true)
        #expect(lines.count == RefusalWindows.kindLimit + 1)
        #expect(lines.reduce(0) { $0 + $1.count } == 100_000)
    }

    @Test("a clock that was set back does not keep them")
    func clock() {
        var windows = RefusalWindows()
        var event = Self.refused
        event.time = 10_000_000_000
        windows.note(event)
        windows.note(event)
        #expect(windows.drain(now: 0).reduce(0) { $0 + $1.count } == 2)
    }
}

@Suite("audit delivery and retention")
struct AuditDeliveryTests {
    /// Takes messages until it is told to fail.
    final class Sink: AuditSink {
        struct Broken: Error {}
        let state = Mutex<(messages: [String], accepts: Int)>(([], .max))

        func send(_ message: [UInt8]) throws {
            try state.withLock { state in
                guard state.accepts > 0 else { throw Broken() }
                state.accepts -= 1
                state.messages.append(String(decoding: message, as: UTF8.self))
            }
        }
    }

    static func database(events: Int) async throws -> EmbeddedDatabase {
        let database = try EmbeddedDatabase(inMemory: .init())
        try await Migrator(PlatformMigrations.all).migrate(database, now: 0)
        try await append(0..<events, to: database)
        return database
    }

    static func append(_ times: Range<Int>, to database: EmbeddedDatabase) async throws {
        try await database.write { transaction in
            for time in times { try EventLog.append(AuditTests.event(at: Int64(time)), in: transaction) }
        }
    }

    static func delivery(_ database: EmbeddedDatabase, _ sink: Sink) -> AuditDelivery {
        AuditDelivery(
            database: database, name: "test", format: SyslogFormat(AuditTests.form, hostname: "h", process: 1)
        ) { sink }
    }

    @Test("a new destination begins with new events; each is sent once, also after restarts and failures")
    func delivers() async throws {
        let database = try await Self.database(events: 5)
        let sink = Sink()
        try await Self.delivery(database, sink).pass()
        #expect(sink.state.withLock { $0.messages.count } == 0)
        try await Self.append(100..<600, to: database)
        sink.state.withLock { $0.accepts = 120 }
        await #expect(throws: Sink.Broken.self) { try await Self.delivery(database, sink).pass() }
        #expect(sink.state.withLock { $0.messages.count } == 120)
        sink.state.withLock { $0.accepts = .max }
        try await Self.delivery(database, sink).pass()
        let messages = sink.state.withLock { $0.messages }
        #expect(messages.count == 500 && Set(messages).count == 500)
    }

    @Test("old lines go, the newest stays, and places never begin anew")
    func sweeps() async throws {
        let database = try await Self.database(events: 10)
        let clock = FixedClock(time: 86_400_000_000 + 6)
        #expect(try await AuditSweep(database: database, clock: clock, days: 1).pass() == 6)
        let late = FixedClock(time: 86_400_000_000 * 9)
        #expect(try await AuditSweep(database: database, clock: late, days: 1).pass() == 3)
        try await Self.append(20..<21, to: database)
        let places = try await database.read { try EventLog.events(after: 0, limit: 10, in: $0).map(\.number) }
        #expect(places == [10, 11])
    }

    @Test("a time leads to the place of its first line")
    func places() async throws {
        let database = try await Self.database(events: 0)
        try await database.write { transaction in
            for minute in 0..<10 {
                try EventLog.append(AuditTests.event(at: Int64(minute) * 60_000_000), in: transaction)
            }
        }
        #expect(try await database.read { try EventLog.place(before: 5 * 60_000_000 + 1, in: $0) } == 6)
        #expect(try await database.read { try EventLog.place(before: 5 * 60_000_000, in: $0) } == 5)
        #expect(try await database.read { try EventLog.place(before: 0, in: $0) } == 0)
        #expect(try await database.read { try EventLog.place(before: .max, in: $0) } == 10)
    }

    struct FixedClock: WallClock {
        let time: Int64
        func now() -> Int64 { time }
    }
}
