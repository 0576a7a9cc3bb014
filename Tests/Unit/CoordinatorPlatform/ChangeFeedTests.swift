import CoordinatorPlatform
import ProtocolModel
import Synchronization
import Testing
import TestsSupportRandomness

struct ChangeFeedTests {
    struct Undone: Error {}

    func makeDatabase() async throws -> EmbeddedDatabase {
        let database = try EmbeddedDatabase(inMemory: .init())
        let table = Migration(
            slice: "test", number: 1, name: "things",
            sql: "CREATE TABLE things (name TEXT PRIMARY KEY, amount BIGINT NOT NULL)")
        try await Migrator(PlatformMigrations.all + [table]).migrate(database, now: 0)
        return database
    }

    func keys(_ news: ChangeFeed.News) -> [String]? {
        if case .changes(let changes) = news { changes.map(\.key) } else { nil }
    }

    @Test("who claims a topic learns its newest number, and changes nothing")
    func claim() async throws {
        let database = try await makeDatabase()
        #expect(try await database.write { try ChangeFeed.claim(topic: "t", in: $0) } == 0)
        try await database.write { try ChangeFeed.append(topic: "t", key: "a", at: 1, in: $0) }
        let before = try await database.read { try ChangeFeed.newest(topic: "t", in: $0) }
        #expect(try await database.write { try ChangeFeed.claim(topic: "t", in: $0) } == 1)
        #expect(try await database.read { try ChangeFeed.newest(topic: "t", in: $0) } == before)
    }

    @Test("a key has one line, with the number of its latest change")
    func latest() async throws {
        let database = try await makeDatabase()
        try await database.write { transaction in
            for key in ["a", "b", "a"] { try ChangeFeed.append(topic: "t", key: key, at: 1, in: transaction) }
            try ChangeFeed.append(topic: "other", key: "c", at: 1, in: transaction)
        }
        let (all, late, newest, none) = try await database.read { reader in
            (
                try ChangeFeed.changes(after: 0, topic: "t", limit: 9, in: reader),
                try ChangeFeed.changes(after: 2, topic: "t", limit: 9, in: reader),
                try ChangeFeed.newest(topic: "t", in: reader), try ChangeFeed.newest(topic: "unknown", in: reader)
            )
        }
        #expect(keys(all) == ["b", "a"])
        #expect(keys(late) == ["a"])
        #expect(newest.number == 3)
        #expect(none == .start)
    }

    @Test("who reads in portions misses nothing")
    func portions() async throws {
        let database = try await makeDatabase()
        try await database.write { transaction in
            for key in 0..<25 { try ChangeFeed.append(topic: "t", key: "\(key)", at: 1, in: transaction) }
        }
        var after: Int64 = 0
        var seen: [String] = []
        while true {
            let start = after
            let news = try await database.read {
                try ChangeFeed.changes(after: start, topic: "t", limit: 10, in: $0)
            }
            guard case .changes(let changes) = news, let last = changes.last else { break }
            seen += changes.map(\.key)
            after = last.place.number
        }
        #expect(seen == (0..<25).map { "\($0)" })
    }

    @Test("what is pruned is told to those who were behind it, and to nobody else")
    func pruning() async throws {
        let database = try await makeDatabase()
        let pruned = try await database.write { transaction in
            for key in 1...6 { try ChangeFeed.append(topic: "t", key: "\(key)", at: Int64(key), in: transaction) }
            return (
                try ChangeFeed.prune(before: 4, limit: 2, in: transaction),
                try ChangeFeed.prune(before: 4, limit: 2, in: transaction),
                try ChangeFeed.prune(before: 4, limit: 2, in: transaction)
            )
        }
        #expect(pruned == (2, 1, 0))
        let (behind, level) = try await database.read { reader in
            (
                try ChangeFeed.changes(after: 2, topic: "t", limit: 9, in: reader),
                try ChangeFeed.changes(after: 3, topic: "t", limit: 9, in: reader)
            )
        }
        #expect(behind == .forgotten)
        #expect(keys(level) == ["4", "5", "6"])
    }

    // MARK: Cache

    typealias Cache = FeedCache<[String: Int]>

    static func makeCache() -> Cache {
        Cache(topics: ["things"], empty: [:]) { keys, value, reader in
            if let keys {
                for key in keys.joined() {
                    value[key] = try reader.first("SELECT amount FROM things WHERE name = ?", [key]) { $0.int(0) }
                }
            } else {
                value = try Self.all(in: reader)
            }
        }
    }

    static func all(in reader: any SQLReader) throws -> [String: Int] {
        var rows: [String: Int] = [:]
        _ = try reader.query("SELECT name, amount FROM things") { rows[$0.text(0)] = $0.int(1) }
        return rows
    }

    static func set(_ name: String, _ amount: Int?, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM things WHERE name = ?", [name])
        if let amount { try transaction.execute("INSERT INTO things (name, amount) VALUES (?, ?)", [name, amount]) }
        try ChangeFeed.append(topic: "things", key: name, at: 0, in: transaction)
    }

    @Test("nothing is read again while nothing changed, and only what changed otherwise")
    func readsLittle() async throws {
        let database = try await makeDatabase()
        let loads = Loads()
        let cache = FeedCache<Int>(topics: ["things"], empty: 0) { keys, _, _ in loads.note(keys) }
        for step in 0..<3 {
            try await database.write { transaction in
                try cache.withCurrent(in: transaction) { _ in }
                try cache.withCurrent(in: transaction) { _ in }
                try Self.set("a\(step)", 1, in: transaction)
            }
        }
        try await database.write { try cache.withCurrent(in: $0) { _ in } }
        #expect(loads.all == [nil, [["a0"]], [["a1"]], [["a2"]]])
    }

    @Test("what an undone write had the cache read is read anew, though its number is given again")
    func undone() async throws {
        let database = try await makeDatabase()
        let cache = Self.makeCache()
        try await database.write { try Self.set("a", 1, in: $0) }
        try await database.write { try cache.withCurrent(in: $0) { _ in } }
        await #expect(throws: Undone.self) {
            try await database.write { transaction in
                try Self.set("a", 2, in: transaction)
                #expect(try cache.withCurrent(in: transaction) { $0 } == ["a": 2])
                throw Undone()
            }
        }
        let rows = try await database.write { try cache.withCurrent(in: $0) { $0 } }
        #expect(rows == ["a": 1])
        try await database.write { transaction in
            try Self.set("a", 3, in: transaction)
            #expect(try cache.withCurrent(in: transaction) { $0 } == ["a": 3])
        }
    }

    @Test("a first look inside a write that is undone leaves nothing behind")
    func undoneFirst() async throws {
        let database = try await makeDatabase()
        let cache = Self.makeCache()
        await #expect(throws: Undone.self) {
            try await database.write { transaction in
                try Self.set("a", 2, in: transaction)
                #expect(try cache.withCurrent(in: transaction) { $0 } == ["a": 2])
                throw Undone()
            }
        }
        try await database.write { transaction in
            try Self.set("b", 3, in: transaction)
            #expect(try cache.withCurrent(in: transaction) { $0 } == ["b": 3])
        }
    }

    @Test("a load that fails half-way is made good by the next")
    func failedLoad() async throws {
        let database = try await makeDatabase()
        let loads = Loads()
        let cache = FeedCache<[String: Int]>(topics: ["things"], empty: [:]) { keys, value, reader in
            loads.note(keys)
            value = ["half": 1]
            if loads.all.count == 2 { throw Undone() }
            value = try Self.all(in: reader)
        }
        try await database.write { try cache.withCurrent(in: $0) { _ in } }
        try await database.write { try Self.set("a", 1, in: $0) }
        await #expect(throws: Undone.self) { try await database.write { try cache.withCurrent(in: $0) { _ in } } }
        let rows = try await database.write { try cache.withCurrent(in: $0) { $0 } }
        #expect(rows == ["a": 1])
        #expect(loads.all == [nil, [["a"]], nil])
    }

    @Test("whatever is undone, shared or pruned, two caches see what their transaction sees", arguments: 1...20)
    func randomHistory(_ seed: Int) async throws {
        let database = try await makeDatabase()
        let caches = [Self.makeCache(), Self.makeCache()]
        var random = SeededGenerator(seed: UInt64(seed))
        for _ in 0..<20 {
            // Written at once, they share commits.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<Int.random(in: 1...8, using: &random) {
                    let writes = (0..<Int.random(in: 0...3, using: &random)).map { _ in
                        (
                            "\(Int.random(in: 0...5, using: &random))",
                            Bool.random(using: &random) ? Int.random(in: 0...99, using: &random) : nil
                        )
                    }
                    let looksBefore = Bool.random(using: &random)
                    let looksAfter = Bool.random(using: &random)
                    let isUndone = Int.random(in: 0...2, using: &random) == 0
                    let prunes = Int.random(in: 0...9, using: &random) == 0
                    let cache = caches[Int.random(in: 0...1, using: &random)]
                    group.addTask {
                        do {
                            try await database.write { transaction in
                                func look() throws {
                                    let rows = try Self.all(in: transaction)
                                    #expect(try cache.withCurrent(in: transaction) { $0 } == rows)
                                }
                                if looksBefore { try look() }
                                for (name, amount) in writes { try Self.set(name, amount, in: transaction) }
                                if prunes { try ChangeFeed.prune(before: 1, limit: 3, in: transaction) }
                                if looksAfter { try look() }
                                if isUndone { throw Undone() }
                            }
                        } catch is Undone {}
                    }
                }
                try await group.waitForAll()
            }
        }
        for cache in caches {
            try await database.write { transaction in
                let rows = try Self.all(in: transaction)
                #expect(try cache.withCurrent(in: transaction) { $0 } == rows)
            }
        }
    }
}

/// What a cache asked to be read, in order.
private final class Loads: Sendable {
    private let notes = Mutex<[[Set<String>]?]>([])
    var all: [[Set<String>]?] { notes.withLock { $0 } }
    func note(_ keys: [Set<String>]?) { notes.withLock { $0.append(keys) } }
}
