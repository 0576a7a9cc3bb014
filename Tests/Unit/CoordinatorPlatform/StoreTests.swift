import CoordinatorPlatform
import Synchronization
import Testing
import TestsSupportStore

/// What both engines promise; which of them, the environment tells (``TestStore``).
@Suite("store")
struct StoreTests {
    private struct Refused: Error, Equatable {}

    private static func database() async throws -> any StoreEngine {
        try await TestStore.database([
            Migration(
                slice: "test", number: 1, name: "things",
                sql: """
                    CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, size BIGINT, body BLOB,
                        weight REAL, flag INTEGER NOT NULL DEFAULT 0);
                    CREATE INDEX things_by_size ON things (size);
                    CREATE TABLE parts (thing INTEGER NOT NULL REFERENCES things (id), label TEXT NOT NULL);
                    """)
        ])
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

    @Test("views, sums, booleans, patterns and guessed types are the same on both engines")
    func dialect() async throws {
        let database = try await Self.database()
        let ids = try await database.write { transaction in
            try ["b", "A", "ä", "a"].enumerated().map { index, name in
                try transaction.first(
                    "INSERT INTO things (name, size, weight, flag) VALUES (?, ?, ?, ?) RETURNING id",
                    [name, index, 0.25, index % 2 == 0]
                ) { $0.integer(0) }
            }
        }
        #expect(ids == [1, 2, 3, 4])
        try await database.read { reader in
            #expect(try reader.query("SELECT name FROM things ORDER BY name") { $0.text(0) } == ["A", "a", "b", "ä"])
            #expect(try reader.count("SELECT SUM(size) FROM things") == 6)
            #expect(try reader.first("SELECT SUM(weight) FROM things") { $0.real(0) } == 1.0)
            let none = try reader.query("SELECT SUM(size) FROM things WHERE id < 0") { $0.optionalInteger(0) }
            #expect(none == [nil])
            #expect(try reader.count("SELECT COUNT(*) FROM things WHERE flag = ?", [true]) == 2)
            #expect(try reader.first("SELECT size > 1 FROM things WHERE name = ?", ["ä"]) { $0.bool(0) } == true)
            #expect(try reader.first("SELECT EXISTS (SELECT 1 FROM things)") { $0.bool(0) } == true)
            #expect(try reader.count("SELECT COUNT(*) FROM things WHERE name LIKE ? ESCAPE '\\'", ["a%"]) == 2)
            #expect(try reader.count("SELECT COUNT(*) FROM things WHERE (size, id) > (?, ?)", [1, 2]) == 2)
            #expect(try reader.count("SELECT COUNT(*) FROM things WHERE name <> '?' AND size IN (?, ?)", [0, 9]) == 1)
            #expect(try reader.count("SELECT COUNT(*) FROM things WHERE ? IS NULL", [String?.none]) == 4)
            #expect(try reader.count("SELECT COUNT(*) FROM things WHERE ? IS NULL", [7]) == 0)
            #expect(try reader.count("SELECT MAX(size) FROM things LIMIT ?", [1]) == 3)
            #expect(
                try reader.count(
                    "SELECT COUNT(*) FROM things WHERE CASE WHEN flag = 1 THEN ? ELSE ? END = size", [2, 1]) == 2)
        }
    }

    @Test("a reference into the void is told as a change by somebody else")
    func references() async throws {
        let database = try await Self.database()
        await #expect(throws: StoreError.stale("a row that this one refers to is gone, or is still referred to")) {
            try await database.write { try $0.execute("INSERT INTO parts (thing, label) VALUES (7, 'x')") }
        }
    }

    @Test("a body sees one state of the database, whatever is written meanwhile")
    func consistency() async throws {
        let database = try await Self.database()
        let writer = Task {
            for number in 0..<200 {
                try await database.write { transaction in
                    // Two rows at once, so that an odd count would be a half transaction.
                    try transaction.execute("INSERT INTO things (name) VALUES (?)", ["left \(number)"])
                    try transaction.execute("INSERT INTO things (name) VALUES (?)", ["right \(number)"])
                }
            }
        }
        var isOver = false
        while !isOver {
            let counts = try await database.read { reader in
                try (0..<3).map { _ in try reader.count("SELECT COUNT(*) FROM things") }
            }
            #expect(Set(counts).count == 1 && counts[0] % 2 == 0, "\(counts)")
            isOver = counts[0] == 400
        }
        try await writer.value
    }

    @Test("what a write has done is seen by whoever waited for it")
    func ownWrites() async throws {
        let database = try await Self.database()
        for number in 1...50 {
            let before = database.commits
            try await database.write { try $0.execute("INSERT INTO things (name) VALUES (?)", ["n\(number)"]) }
            #expect(database.commits > before)
            #expect(try await database.read { try $0.count("SELECT COUNT(*) FROM things") } == number)
        }
    }

    @Test("a thousand different statements are one like the other")
    func manyStatements() async throws {
        let database = try await Self.database()
        for number in 0..<1_000 {
            let sum = try await database.read { try $0.count("SELECT ? + \(number) AS n\(number)", [1]) }
            #expect(sum == number + 1)
        }
    }

    @Test("a database that was closed says so")
    func closed() async throws {
        let database = try await Self.database()
        try await database.write { try $0.execute("INSERT INTO things (name) VALUES ('a')") }
        try database.close()
        await #expect(throws: (any Error).self) { try await database.read { try $0.count("SELECT 1") } }
        await #expect(throws: (any Error).self) { try await database.write { try $0.execute("DELETE FROM things") } }
    }
}

/// What happened, in order.
final class EventList: Sendable {
    private let list = Mutex<[String]>([])
    var entries: [String] { list.withLock { $0 } }
    func add(_ entry: String) { list.withLock { $0.append(entry) } }
}
