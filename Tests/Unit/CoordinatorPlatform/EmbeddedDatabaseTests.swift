import CoordinatorPlatform
import Dispatch
import Synchronization
import Testing

@Suite("embedded database")
struct EmbeddedDatabaseTests {
    private struct Refused: Error, Equatable {}

    private static func database() async throws -> EmbeddedDatabase {
        let database = try EmbeddedDatabase(inMemory: .init())
        try await Migrator([
            Migration(
                slice: "test", number: 1, name: "things",
                sql: """
                    CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, size BIGINT, body BLOB);
                    CREATE INDEX things_by_size ON things (size);
                    """)
        ]).migrate(database, now: 0)
        return database
    }

    @Test("values of each kind come back as they went in")
    func values() async throws {
        let database = try await Self.database()
        try await database.write {
            try $0.execute(
                "INSERT INTO things (name, size, body) VALUES (?, ?, ?)", ["grün", Int64.max, [0, 1, 255] as [UInt8]])
            try $0.execute("INSERT INTO things (name, size) VALUES (?, ?)", ["none", Int?.none])
        }
        let rows = try await database.read {
            try $0.query("SELECT name, size, body FROM things ORDER BY id") {
                ($0.text(0), $0.optionalInteger(1), $0.blob(2))
            }
        }
        #expect(rows.map(\.0) == ["grün", "none"])
        #expect(rows.map(\.1) == [Int64.max, nil])
        #expect(rows.map(\.2) == [[0, 1, 255], []])
    }

    @Test("a write that throws undoes its own work and nobody else's")
    func savepoints() async throws {
        let database = try await Self.database()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<100 {
                group.addTask {
                    try? await database.write { transaction in
                        try transaction.execute("INSERT INTO things (name, size) VALUES (?, ?)", ["n\(number)", number])
                        if number % 3 == 0 { throw Refused() }
                    }
                }
            }
        }
        let count = try await database.read { try $0.count("SELECT COUNT(*) FROM things") }
        #expect(count == 66)
    }

    @Test("hooks of what was committed run in order, before the writer's caller goes on")
    func hooks() async throws {
        let database = try await Self.database()
        let log = EventList()
        for number in 0..<3 {
            try? await database.write { transaction in
                transaction.afterCommit { log.add("first \(number)") }
                transaction.afterCommit { log.add("second \(number)") }
                if number == 1 { throw Refused() }
            }
            log.add("returned \(number)")
        }
        #expect(
            log.entries == [
                "first 0", "second 0", "returned 0", "returned 1", "first 2", "second 2", "returned 2"
            ])
    }

    @Test("a duplicate is told by its columns, a missing table stays the engine's own error")
    func errors() async throws {
        let database = try await Self.database()
        try await database.write { try $0.execute("INSERT INTO things (name) VALUES ('a')") }
        await #expect(throws: StoreError.duplicate("things.name")) {
            try await database.write { try $0.execute("INSERT INTO things (name) VALUES ('a')") }
        }
        await #expect(throws: (any Error).self) { try await database.write { try $0.execute("DELETE FROM nowhere") } }
        // A statement that failed once must not fail again for that reason.
        let insert = "INSERT INTO things (name) VALUES (?)"
        await #expect(throws: StoreError.duplicate("things.name")) {
            try await database.write { try $0.execute(insert, ["a"]) }
        }
        try await database.write { try $0.execute(insert, ["b"]) }
        await #expect(throws: Refused()) {
            try await database.read { try $0.query("SELECT name FROM things") { _ in throw Refused() } }
        }
        #expect(try await database.read { try $0.query("SELECT name FROM things") { $0.text(0) } } == ["a", "b"])
    }

    @Test("the same statement may be asked again while its rows are read")
    func nesting() async throws {
        let database = try await Self.database()
        try await database.write {
            for name in ["a", "b", "c"] { try $0.execute("INSERT INTO things (name) VALUES (?)", [name]) }
        }
        let pairs = try await database.read { reader in
            try reader.query("SELECT name FROM things ORDER BY id") { outer in
                let inner = try reader.query("SELECT name FROM things ORDER BY id") { $0.text(0) }
                return outer.text(0) + inner.joined()
            }
        }
        #expect(pairs == ["aabc", "babc", "cabc"])
    }

    @Test("on disk: 500 writes at once share commits, readers see them, a second opening finds them")
    func file() async throws {
        let folder = try TemporaryFolder()
        let database = try EmbeddedDatabase(path: folder.path + "/skerry.db")
        try await Migrator([
            Migration(slice: "test", number: 1, name: "n", sql: "CREATE TABLE numbers (n BIGINT NOT NULL UNIQUE)")
        ]).migrate(database, now: 0)
        let started = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<500 {
                group.addTask {
                    _ = try await database.write { try $0.execute("INSERT INTO numbers (n) VALUES (?)", [number]) }
                }
            }
            try await group.waitForAll()
        }
        print("500 writes at once: \(ContinuousClock.now - started)")
        let reads = ContinuousClock.now
        for _ in 0..<1000 {
            _ = try await database.read { try $0.count("SELECT COUNT(*) FROM numbers WHERE n = ?", [7]) }
        }
        print("1000 reads in a row: \(ContinuousClock.now - reads)")
        try database.close()
        let again = try EmbeddedDatabase(path: folder.path + "/skerry.db")
        #expect(try await again.read { try $0.count("SELECT COUNT(*) FROM numbers") } == 500)
        try again.close()
    }

    @Test("more writes than may wait are refused, and the others done", .timeLimit(.minutes(1)))
    func overload() async throws {
        var limits = EmbeddedDatabase.Limits()
        limits.waitingWrites = 4
        let database = try EmbeddedDatabase(inMemory: limits)
        try await database.write { try $0.execute("CREATE TABLE t (n BIGINT)") }
        let isWriting = DispatchSemaphore(value: 0)
        let mayEnd = DispatchSemaphore(value: 0)
        @Sendable func insert(_ number: Int, _ before: @escaping @Sendable () -> Void = {}) async -> StoreError? {
            do {
                try await database.write { transaction in
                    before()
                    try transaction.execute("INSERT INTO t VALUES (?)", [number])
                }
                return nil
            } catch { return error as? StoreError }
        }
        // One write has the writer, so all others wait: four of them, and no more.
        async let first = insert(0) {
            isWriting.signal()
            mayEnd.wait()
        }
        await withCheckedContinuation { started in
            DispatchQueue(label: "test").async {
                isWriting.wait()
                started.resume()
            }
        }
        let outcomes = await withTaskGroup(of: StoreError?.self) { group in
            for number in 1...10 { group.addTask { await insert(number) } }
            var outcomes: [StoreError?] = []
            for await outcome in group {
                outcomes.append(outcome)
                // Six were refused: the other four are in the queue, and may go on.
                if outcomes.count == 6 { mayEnd.signal() }
            }
            return outcomes
        }
        #expect(await first == nil)
        #expect(outcomes.prefix(6).allSatisfy { $0 == .overloaded })
        #expect(outcomes.dropFirst(6).allSatisfy { $0 == nil })
        let done = try await database.read { try $0.count("SELECT COUNT(*) FROM t") }
        #expect(done == 5)
    }
}

/// What happened, in order.
final class EventList: Sendable {
    private let list = Mutex<[String]>([])
    var entries: [String] { list.withLock { $0 } }
    func add(_ entry: String) { list.withLock { $0.append(entry) } }
}
