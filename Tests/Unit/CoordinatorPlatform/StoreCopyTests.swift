import CoordinatorPlatform
import Synchronization
import Testing
import TestsSupportStore

@Suite("copies between databases")
struct StoreCopyTests {
    /// Its tables refer to each other and to themselves, against the order of their names.
    private static let migrations = [
        Migration(
            slice: "test", number: 1, name: "tree",
            sql: """
                CREATE TABLE twigs (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
                    parent TEXT REFERENCES twigs (name));
                CREATE TABLE leaves (id INTEGER PRIMARY KEY, twig TEXT NOT NULL REFERENCES twigs (name), body BLOB);
                CREATE TABLE notes (text TEXT NOT NULL, weight REAL);
                CREATE TABLE pairs (a TEXT NOT NULL, b BIGINT NOT NULL, PRIMARY KEY (a, b));
                """),
        // Rows that every database begins with; they may be changed and removed later.
        Migration(
            slice: "test", number: 2, name: "seeds",
            sql: """
                CREATE TABLE seeds (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
                INSERT INTO seeds (id, name) VALUES (1, 'first'), (2, 'second');
                """)
    ]

    private static func fill(_ database: any StoreEngine) async throws {
        try await database.write { transaction in
            try transaction.execute("DELETE FROM seeds WHERE id = 1")
            try transaction.execute("UPDATE seeds SET name = 'ours' WHERE id = 2")
            try transaction.execute("INSERT INTO twigs (name) VALUES ('b')")
            // A row that refers to a later one.
            try transaction.execute("INSERT INTO twigs (name) VALUES ('a')")
            try transaction.execute("UPDATE twigs SET parent = 'a' WHERE name = 'b'")
            for number in 0..<1_234 {
                try transaction.execute(
                    "INSERT INTO leaves (id, twig, body) VALUES (?, ?, ?)",
                    [number * 2 + 1, "a", number % 7 == 0 ? nil : [UInt8(number % 256), 0]])
                try transaction.execute("INSERT INTO pairs (a, b) VALUES (?, ?)", [number % 2 == 0 ? "ä" : "Z", number])
            }
            try transaction.execute(
                "INSERT INTO notes (text, weight) VALUES (?, ?), (?, ?)", ["x", 0.1, "", Double?.none])
        }
    }

    /// All that the tables hold, in an order of its own.
    private static func content(_ database: any StoreEngine) async throws -> [[SQLValue]] {
        try await database.read { reader in
            try [
                ("twigs", "id, name, parent"), ("leaves", "id, twig, body"), ("notes", "text, weight"),
                ("pairs", "a, b"), ("seeds", "id, name")
            ]
            .flatMap { table, columns in
                try reader.query("SELECT \(columns) FROM \(table) ORDER BY 1, 2") { row in
                    (0..<columns.split(separator: ",").count).map { row.value($0) }
                }
            }
        }
    }

    @Test("everything arrives, in both directions, and numbering goes on behind it")
    func everything() async throws {
        let source = try await TestStore.database(Self.migrations)
        try await Self.fill(source)
        let wanted = try await Self.content(source)
        #expect(wanted.count == 2_473)
        let copy = StoreCopy(Self.migrations)
        let embedded = try EmbeddedDatabase(inMemory: .init())
        let moved = try await copy.run(from: source, to: embedded, now: 0)
        #expect(moved.map(\.table) == ["leaves", "notes", "pairs", "seeds", "twigs"])
        #expect(moved.map(\.rows) == [1_234, 2, 1_234, 1, 2])
        #expect(try await Self.content(embedded) == wanted)

        let back = try await TestStore.database([])
        #expect(try await copy.run(from: embedded, to: back, now: 0) == moved)
        #expect(try await Self.content(back) == wanted)
        let id = try await back.write {
            try $0.first("INSERT INTO leaves (twig) VALUES ('b') RETURNING id") { $0.integer(0) }
        }
        #expect(id == 2_468)
        // References are guarded again, as soon as a statement ends.
        await #expect(throws: StoreError.self) {
            try await back.write { try $0.execute("INSERT INTO leaves (twig) VALUES ('nowhere')") }
        }
    }

    private final class Progress: Sendable {
        let started = Atomic(0)
        let ended = Atomic(false)
    }

    @Test("a file has what a database held at one moment, while others write on")
    func snapshot() async throws {
        let folder = try TemporaryFolder()
        let (source, location) = try await TestStore.located(Self.migrations, in: folder.path)
        try await Self.fill(source)
        let progress = Progress()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while !progress.ended.load(ordering: .relaxed) {
                    let number = progress.started.add(1, ordering: .relaxed).newValue
                    // Two rows at once, in tables that are read at different times.
                    try await source.write { transaction in
                        try transaction.execute("INSERT INTO notes (text) VALUES (?)", ["w\(number)"])
                        try transaction.execute("INSERT INTO pairs (a, b) VALUES (?, ?)", ["w", number])
                    }
                }
            }
            while progress.started.load(ordering: .relaxed) < 3 { try await Task.sleep(for: .milliseconds(5)) }
            for number in 0..<3 {
                let path = "\(folder.path)/it's \(number).db"
                try await StoreCopy(Self.migrations).snapshot(location, to: path, now: 0)
                let copy = try EmbeddedDatabase(path: path)
                let written = try await copy.read { reader in
                    (
                        try reader.count("SELECT COUNT(*) FROM notes WHERE text LIKE 'w%'"),
                        try reader.count("SELECT COUNT(*) FROM pairs WHERE a = 'w'")
                    )
                }
                #expect(written.0 == written.1 && written.0 >= 2)
                #expect(try await Migrator(Self.migrations).isCurrent(copy))
                #expect(try await copy.read { try $0.count("SELECT COUNT(*) FROM leaves") } == 1_234)
                try copy.close()
            }
            progress.ended.store(true, ordering: .relaxed)
            try await group.waitForAll()
        }
    }

    @Test("a target with rows, and a source of another schema, are refused")
    func refusals() async throws {
        let source = try await TestStore.database(Self.migrations)
        let target = try await TestStore.database(Self.migrations)
        try await target.write { try $0.execute("INSERT INTO notes (text) VALUES ('here')") }
        await #expect(throws: StoreCopy.Refusal.notEmpty(table: "notes")) {
            try await StoreCopy(Self.migrations).run(from: source, to: target, now: 0)
        }
        // A row of its own among those that every database begins with.
        let changed = try await TestStore.database(Self.migrations)
        try await changed.write { try $0.execute("UPDATE seeds SET name = 'other' WHERE id = 1") }
        await #expect(throws: StoreCopy.Refusal.notEmpty(table: "seeds")) {
            try await StoreCopy(Self.migrations).run(from: source, to: changed, now: 0)
        }
        let longer =
            Self.migrations + [Migration(slice: "test", number: 3, name: "more", sql: "CREATE TABLE more (n BIGINT)")]
        let empty = try await TestStore.database([])
        await #expect(throws: StoreCopy.Refusal.notCurrent) {
            try await StoreCopy(longer).run(from: source, to: empty, now: 0)
        }
    }

    @Test("a copy that fails leaves no row behind")
    func failure() async throws {
        let source = try EmbeddedDatabase(inMemory: .init())
        try await Migrator(Self.migrations).migrate(source, now: 0)
        try await Self.fill(source)
        // An index that the target alone has, and does not tell of.
        let target = try await TestStore.database(
            Self.migrations + [
                Migration(
                    slice: "test", number: 3, name: "strict", sql: "CREATE UNIQUE INDEX pairs_once ON pairs (a)")
            ])
        try await target.write { try $0.execute("DELETE FROM schema_migrations WHERE number = 3") }
        await #expect(throws: StoreError.duplicate("pairs.a")) {
            try await StoreCopy(Self.migrations).run(from: source, to: target, now: 0)
        }
        #expect(try await Self.content(target).count == 2, "the rows that it began with")
    }
}
