import CoordinatorPlatform
import Synchronization
import Testing
import TestsSupportStore

@Suite("parts of a transaction, on whichever engine the environment tells")
struct SavepointTests {
    private struct Refusal: Error {}

    @Test("what a part throws undoes that part, its own parts and their hooks; the rest stands")
    func undone() async throws {
        let database = try await TestStore.database([
            Migration(
                slice: "test", number: 1, name: "numbers",
                sql: "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)")
        ])
        let hooks = Mutex<[Int]>([])
        let seen = try await database.write { transaction in
            func add(_ number: Int) throws {
                try transaction.execute("INSERT INTO t (n) VALUES (?)", [number])
                transaction.afterCommit { hooks.withLock { $0.append(number) } }
            }
            try add(1)
            let value = try transaction.savepoint { () throws -> String in
                try add(2)
                return "kept"
            }
            #expect(value == "kept")
            #expect(throws: Refusal.self) {
                try transaction.savepoint {
                    try add(3)
                    try transaction.savepoint { try add(4) }
                    throw Refusal()
                }
            }
            try transaction.savepoint {
                try add(5)
                #expect(throws: Refusal.self) {
                    try transaction.savepoint {
                        try add(6)
                        throw Refusal()
                    }
                }
            }
            return try transaction.query("SELECT n FROM t ORDER BY id") { $0.int(0) }
        }
        #expect(seen == [1, 2, 5])
        #expect(hooks.withLock { $0 } == [1, 2, 5])
        #expect(try await database.read { try $0.count("SELECT COUNT(*) FROM t") } == 3)
    }
}
