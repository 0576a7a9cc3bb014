import CoordinatorPlatform
import Testing
import TestsSupportStore

/// What happens to connections. Only with a server.
@Suite("PostgreSQL: connections", .enabled(if: TestStore.serverURL != nil))
struct PostgreSQLTests {
    private let server = TestStore.serverURL ?? ""

    private func database() async throws -> (any StoreEngine, name: String) {
        let database = try await TestStore.database([
            Migration(slice: "test", number: 1, name: "n", sql: "CREATE TABLE numbers (n BIGINT NOT NULL UNIQUE)")
        ])
        return (database, try await database.read { try $0.first("SELECT current_database()") { $0.text(0) } } ?? "")
    }

    /// Ends every connection to that database.
    private static func kill(_ name: String, on server: String) throws {
        try PostgreSQLDatabase.command(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '\(name)'", at: server)
    }

    @Test("connections that died at rest are noticed by nobody")
    func rest() async throws {
        let (database, name) = try await database()
        for number in 0..<5 {
            try await database.write { try $0.execute("INSERT INTO numbers (n) VALUES (?)", [number]) }
            try Self.kill(name, on: server)
            #expect(try await database.read { try $0.count("SELECT COUNT(*) FROM numbers") } == number + 1)
        }
    }

    @Test("a read that loses its connection says so, and the next one has another")
    func read() async throws {
        let (database, name) = try await database()
        let server = server
        await #expect(throws: StoreError.self) {
            try await database.read { reader in
                _ = try reader.count("SELECT COUNT(*) FROM numbers")
                try Self.kill(name, on: server)
                _ = try reader.count("SELECT COUNT(*) FROM numbers")
            }
        }
        #expect(try await database.read { try $0.count("SELECT COUNT(*) FROM numbers") } == 0)
    }

    @Test("a write that loses its connection is undone, and the next one has another")
    func write() async throws {
        let (database, name) = try await database()
        let server = server
        await #expect(throws: StoreError.self) {
            try await database.write { transaction in
                try transaction.execute("INSERT INTO numbers (n) VALUES (1)")
                try Self.kill(name, on: server)
                try transaction.execute("INSERT INTO numbers (n) VALUES (2)")
            }
        }
        try await database.write { try $0.execute("INSERT INTO numbers (n) VALUES (3)") }
        #expect(try await database.read { try $0.query("SELECT n FROM numbers") { $0.int(0) } } == [3])
    }

    @Test("a connection that is lost in a commit: nobody knows, and it is said")
    func commit() async throws {
        let (database, name) = try await database()
        // The commit takes its time, which a deferred trigger has to itself.
        try await database.write { transaction in
            try transaction.execute(
                """
                CREATE FUNCTION rest() RETURNS TRIGGER LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_sleep(20); RETURN NEW; END $$
                """)
            try transaction.execute(
                """
                CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON numbers DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW WHEN (NEW.n = 1) EXECUTE FUNCTION rest()
                """)
        }
        let log = EventList()
        let write = Task {
            try await database.write { transaction in
                transaction.afterCommit { log.add("committed") }
                try transaction.execute("INSERT INTO numbers (n) VALUES (1)")
            }
        }
        while try await database.read({
            try $0.count("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = ? AND wait_event = 'PgSleep'", [name])
        }) == 0 { try await Task.sleep(for: .milliseconds(20)) }
        try Self.kill(name, on: server)
        do {
            _ = try await write.value
            Issue.record("the commit was lost")
        } catch StoreError.unavailable(let reason) { #expect(reason.contains("whether it was done is not known")) }
        #expect(log.entries.isEmpty)
        #expect(database.doubtfulCommits == 1)
        try await database.write { try $0.execute("INSERT INTO numbers (n) VALUES (2)") }
        #expect(database.doubtfulCommits == 1)
        #expect(try await database.read { try $0.query("SELECT n FROM numbers") { $0.int(0) } } == [2])
    }

    @Test("a transaction that was lost before it began is not committed, whatever its body makes of that")
    func lostEarly() async throws {
        let (database, _) = try await database()
        await #expect(throws: StoreError.self) {
            try await database.write { transaction in
                // It is sent once more on another connection, and ends that as well.
                _ = try? transaction.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            }
        }
    }

    @Test("rows that a migration brings with their numbers are counted on from")
    func numbers() async throws {
        let table = "CREATE TABLE rows_of (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)"
        let steps = [
            Migration(slice: "test", number: 1, name: "tables", sql: table),
            Migration(
                slice: "test", number: 2, name: "rows", sql: "INSERT INTO rows_of (id, n) VALUES (7, 1), (9, 2)"),
            Migration(slice: "test", number: 3, name: "more", sql: "INSERT INTO rows_of (n) VALUES (3)")
        ]
        let database = try await TestStore.database(steps)
        func insert() async throws -> Int? {
            try await database.write { transaction in
                try transaction.query("INSERT INTO rows_of (n) VALUES (4) RETURNING id") { $0.int(0) }.first
            }
        }
        #expect(try await insert() == 11)
        // Numbers that were given out name their rows for ever.
        try await database.write { try $0.execute("DELETE FROM rows_of WHERE id > 7") }
        try await Migrator(steps).migrate(database, now: 0)
        #expect(try await insert() == 12)
        // What an earlier release left behind is mended at the next start.
        try await database.write { try $0.execute("SELECT setval(pg_get_serial_sequence('rows_of', 'id'), 2)") }
        try await Migrator(steps).migrate(database, now: 0)
        #expect(try await insert() == 13)
    }

    @Test("the server notices soon that a coordinator was cut off")
    func keepAlive() async throws {
        let (database, _) = try await database()
        let isLocal = try await database.read {
            try $0.count("SELECT CASE WHEN inet_server_addr() IS NULL THEN 1 ELSE 0 END") == 1
        }
        let values = try await database.read { reader in
            try ["idle", "interval", "count"].map { name in
                try reader.first("SELECT current_setting('tcp_keepalives_' || ?)", [name]) { $0.text(0) }
            } + [try reader.first("SELECT current_setting('tcp_user_timeout')") { $0.text(0) }]
        }
        // Where there is no network, the server knows no such times, and takes no offence.
        #expect(values == (isLocal ? ["0", "0", "0", "0"] : ["5", "3", "3", "15s"]))
    }

    @Test("two coordinators' writers wait for each other, and lose nothing")
    func twoWriters() async throws {
        let (first, name) = try await database()
        let second = try await PostgreSQLDatabase(url: Self.url(of: name, on: server))
        try await first.write { try $0.execute("INSERT INTO numbers (n) VALUES (0)") }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<100 {
                let database: any StoreEngine = number % 2 == 0 ? first : second
                group.addTask {
                    _ = try await database.write { transaction in
                        let value = try transaction.count("SELECT n FROM numbers")
                        try transaction.execute("UPDATE numbers SET n = ?", [value + 1])
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await second.read { try $0.count("SELECT n FROM numbers") } == 100)
        try second.close()
    }

    @Test("a database that is somebody's alone is nobody else's until it is let go")
    func alone() async throws {
        let (database, name) = try await database()
        try database.close()
        let url = Self.url(of: name, on: server)
        let first = try await PostgreSQLDatabase(url: url, alone: true)
        await #expect(throws: StoreError.unavailable("the database cannot be reached: another coordinator works on it"))
        {
            _ = try await PostgreSQLDatabase(url: url, alone: true)
        }
        try first.close()
        try await PostgreSQLDatabase(url: url, alone: true).close()
        // The database goes with whoever made it.
        withExtendedLifetime(database) {}
    }

    @Test("a database whose text sorts by a language is refused with what to do")
    func collation() async throws {
        let (_, name) = try await database()
        let other = "\(name)_sorted"
        try PostgreSQLDatabase.command(
            """
            CREATE DATABASE \(other) TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C'
            """, at: server)
        do {
            _ = try await PostgreSQLDatabase(url: Self.url(of: other, on: server))
            Issue.record("the database was taken")
        } catch StoreError.unavailable(let reason) { #expect(reason.contains("createdb --template=template0")) }
        try PostgreSQLDatabase.command("DROP DATABASE \(other) WITH (FORCE)", at: server)
    }

    @Test("a server that is not there is told of at the first opening")
    func away() async throws {
        await #expect(throws: StoreError.self) {
            _ = try await PostgreSQLDatabase(url: "postgresql:///x?host=/nowhere&user=skerry")
        }
    }

    private static func url(of name: String, on server: String) -> String {
        let parts = server.split(separator: "?", maxSplits: 1)
        return "postgresql:///\(name)?\(parts.count > 1 ? String(parts[1]) : "")"
    }
}
