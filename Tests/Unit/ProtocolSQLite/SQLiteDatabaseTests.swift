import ProtocolSQLite
import Testing

@Suite("SQLite")
struct SQLiteDatabaseTests {
    private static func database(statementMemory: Int = 1 << 20) throws -> SQLiteDatabase {
        let database = try SQLiteDatabase(path: nil, waiting: 0, statementMemory: statementMemory)
        try database.run("CREATE TABLE parents (id INTEGER PRIMARY KEY, name TEXT UNIQUE, size REAL, body BLOB)")
        try database.run("CREATE TABLE children (parent INTEGER NOT NULL REFERENCES parents (id))")
        return database
    }

    @Test("values of each kind come back as they went in, empty ones and NUL too")
    func values() throws {
        let database = try Self.database()
        let rows: [[SQLiteValue]] = [
            [.text("grün"), .real(0.5), .blob([0, 1, 255])], [.text(""), .real(-1), .blob([])],
            [.text("a\0b"), .null, .null]
        ]
        for row in rows { try database.execute("INSERT INTO parents (name, size, body) VALUES (?, ?, ?)", row) }
        let read = try database.rows("SELECT name, size, body FROM parents ORDER BY id") { row in
            [
                SQLiteValue.text(row.text(0)), row.isNull(1) ? .null : .real(row.real(1)),
                row.isNull(2) ? .null : .blob(row.blob(2))
            ]
        }
        #expect(read == rows)
    }

    @Test(
        "what is refused is told apart",
        arguments: [
            ("INSERT INTO parents (id, name) VALUES (2, 'a')", SQLiteError.Kind.duplicate),
            ("INSERT INTO parents (id, name) VALUES (1, 'b')", .duplicate),
            ("INSERT INTO children (parent) VALUES (9)", .missingReference),
            ("INSERT INTO children (parent) VALUES (NULL)", .other), ("SELECT nothing FROM parents", .other),
            (#"INSERT INTO parents (name) VALUES ("a text in the quotes of names")"#, .other), ("", .other)
        ])
    func errors(statement: String, kind: SQLiteError.Kind) throws {
        let database = try Self.database()
        try database.execute("INSERT INTO parents (id, name) VALUES (1, 'a')")
        for _ in 0..<2 {
            let error = #expect(throws: SQLiteError.self) { try database.execute(statement) }
            #expect(error?.kind == kind, "\(error?.description ?? "")")
        }
        try database.execute("INSERT INTO parents (id, name) VALUES (3, 'c')")
        #expect(database.changes == 1)
    }

    @Test("a statement may be asked again while its rows are being read")
    func nested() throws {
        let database = try Self.database()
        for name in ["a", "b", "c"] { try database.execute("INSERT INTO parents (name) VALUES (?)", [.text(name)]) }
        let all = "SELECT name FROM parents ORDER BY name"
        let pairs = try database.rows(all) { outer in try database.rows(all) { outer.text(0) + $0.text(0) } }
        #expect(pairs.flatMap { $0 } == ["aa", "ab", "ac", "ba", "bb", "bc", "ca", "cb", "cc"])
    }

    @Test("what was bound before is not bound again")
    func bindings() throws {
        let database = try Self.database()
        let name: SQLiteValue = .text("a")
        #expect(try database.rows("SELECT ? IS NULL", [name]) { $0.integer(0) } == [0])
        #expect(try database.rows("SELECT ? IS NULL") { $0.integer(0) } == [1])
    }

    @Test("a closed database refuses")
    func closed() throws {
        let database = try Self.database()
        database.close()
        #expect(throws: SQLiteError.self) { try database.execute("SELECT 1") }
        #expect(!database.isInTransaction)
    }

    @Test("a file that cannot be opened is said to be unwritable")
    func missingFolder() {
        let error = #expect(throws: SQLiteError.self) {
            try SQLiteDatabase(path: "/nonexistent/x.sqlite", waiting: 0, statementMemory: 0)
        }
        #expect(error?.kind == .unwritable)
    }

    @Test("prepared statements stay within their memory, and the ones in use stay prepared")
    func statementMemory() throws {
        let limit = 64 << 10
        let database = try Self.database(statementMemory: limit)
        for number in 0..<500 {
            try database.execute("SELECT \(number), name FROM parents WHERE size = ?", [.real(1)])
            try database.execute("SELECT name FROM parents")
            #expect(database.statementMemory <= limit)
        }
        #expect(database.statementMemory > limit / 4)
        #expect(database.isPrepared("SELECT name FROM parents"))
        #expect(!database.isPrepared("SELECT 0, name FROM parents WHERE size = ?"))
    }

    @Test("a transaction that throws leaves nothing, and the next one goes on")
    func transactions() async throws {
        let queue = SQLiteQueue(try Self.database(), label: "test")
        await #expect(throws: CancellationError.self) {
            try await queue.write { database in
                try database.execute("INSERT INTO parents (name) VALUES ('a')")
                throw CancellationError()
            }
        }
        try await queue.write { try $0.execute("INSERT INTO parents (name) VALUES ('b')") }
        #expect(try await queue.read { try $0.rows("SELECT name FROM parents") { $0.text(0) } } == ["b"])
        queue.close()
        await #expect(throws: SQLiteError.self) { try await queue.read { try $0.execute("SELECT 1") } }
    }
}
