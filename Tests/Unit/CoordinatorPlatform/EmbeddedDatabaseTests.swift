import CoordinatorPlatform
import Dispatch
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
