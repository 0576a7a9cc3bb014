import CoordinatorPlatform
import Testing

/// What only the embedded engine has: a file, and limits that a test may set.
@Suite("embedded database")
struct EmbeddedDatabaseTests {
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

    @Test("more writes than may wait are refused, and the others done")
    func overload() async throws {
        var limits = EmbeddedDatabase.Limits()
        limits.waitingWrites = 4
        let database = try EmbeddedDatabase(inMemory: limits)
        try await database.write { try $0.execute("CREATE TABLE t (n BIGINT)") }
        let refused = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<2000 {
                group.addTask {
                    do {
                        try await database.write { try $0.execute("INSERT INTO t VALUES (?)", [number]) }
                        return false
                    } catch { return (error as? StoreError) == .overloaded }
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        let done = try await database.read { try $0.count("SELECT COUNT(*) FROM t") }
        #expect(done + refused == 2000)
    }
}
