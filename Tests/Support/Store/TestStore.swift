import CoordinatorPlatform
import Crypto
import Glibc
import Synchronization

/// A database for a test, on the engine that `SKERRY_TEST_STORE_URL` names: the embedded one in memory without it, else
/// a database of its own on that PostgreSQL server, made from a template that has been migrated once.
public enum TestStore {
    /// A database of the server's in which to make others; `nil` is the embedded engine.
    public static let serverURL: String? = getenv("SKERRY_TEST_STORE_URL").map { String(cString: $0) }

    private static let templates = Templates()

    /// - Parameter migrations: What has been run on it.
    public static func database(_ migrations: [Migration]) async throws -> any StoreEngine {
        guard let serverURL else {
            let database = try EmbeddedDatabase(inMemory: .init())
            try await Migrator(migrations).migrate(database, now: 0)
            return database
        }
        await slots.take()
        do {
            let template = try await templates.template(migrations, on: serverURL)
            return try await ServerDatabase(template: template, on: serverURL, slots: slots)
        } catch {
            slots.giveBack()
            throw error
        }
    }

    /// As ``database(_:)``, with where it is: a file of the folder without a server.
    public static func located(
        _ migrations: [Migration], in folder: String
    ) async throws -> (any StoreEngine, StoreLocation) {
        if let server = try await database(migrations) as? ServerDatabase { return (server, .server(server.url)) }
        let path = "\(folder)/source.db"
        let database = try EmbeddedDatabase(path: path)
        try await Migrator(migrations).migrate(database, now: 0)
        return (database, .file(path))
    }

    /// A server's connections are processes, and some tests leave things running that keep their database.
    private static let slots = Slots(400)
}

/// The databases that have been migrated, by what was run on them.
private actor Templates {
    private var made: [String: Task<String, any Error>] = [:]

    func template(_ migrations: [Migration], on server: String) async throws -> String {
        let text = migrations.map { "\($0.slice) \($0.number) \($0.sql)" }.joined(separator: "\n")
        let digest = SHA256.hash(data: Array(text.utf8)).prefix(8).map { String($0, radix: 16) }.joined()
        if let task = made[digest] { return try await task.value }
        let task = Task {
            let name = "template_\(getpid())_\(digest)"
            let database = try await ServerDatabase.make(name, from: "template0", on: server)
            try await Migrator(migrations).migrate(database, now: 0)
            try database.close()
            return name
        }
        made[digest] = task
        return try await task.value
    }
}

/// How many databases there may be at once.
private final class Slots: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>

    init(_ count: Int) { state = Mutex(State(free: count)) }

    func take() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLock { state in
                if state.free > 0 { state.free -= 1 } else { state.waiting.append(continuation); return false }
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    func giveBack() {
        let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.free += 1
            return nil
        }
        next?.resume()
    }
}

/// A database on the server that ends with the last who has it.
private final class ServerDatabase: StoreEngine {
    private static let numbers = Atomic<Int>(0)

    private let base: PostgreSQLDatabase
    private let name: String
    private let server: String
    private let slots: Slots

    init(template: String, on server: String, slots: Slots) async throws {
        name = "test_\(getpid())_\(Self.numbers.add(1, ordering: .relaxed).newValue)"
        self.server = server
        self.slots = slots
        base = try await Self.make(name, from: template, on: server)
    }

    deinit {
        let (base, name, server, slots) = (base, name, server, slots)
        Task {
            try? base.close()
            // What remains goes with the server.
            try? PostgreSQLDatabase.command("DROP DATABASE \(name) WITH (FORCE)", at: server)
            slots.giveBack()
        }
    }

    static func make(_ name: String, from template: String, on server: String) async throws -> PostgreSQLDatabase {
        try PostgreSQLDatabase.command(
            "CREATE DATABASE \(name) TEMPLATE \(template) ENCODING 'UTF8' LOCALE 'C'", at: server)
        var limits = PostgreSQLDatabase.Limits()
        limits.readers = 1
        return try await PostgreSQLDatabase(url: url(of: name, on: server), limits: limits)
    }

    /// `postgresql://HOST/DATABASE?OPTIONS`: the database alone is another.
    private static func url(of name: String, on server: String) -> String {
        let parts = server.split(separator: "?", maxSplits: 1)
        let front = parts[0].lastIndex(of: "/").map { parts[0][...$0] } ?? parts[0]
        return "\(front)\(name)\(parts.count > 1 ? "?\(parts[1])" : "")"
    }

    var url: String { Self.url(of: name, on: server) }

    var commits: Int { base.commits }
    var doubtfulCommits: Int { base.doubtfulCommits }
    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> T) async throws -> T {
        try await base.read(body)
    }
    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
        try await base.write(body)
    }
    func readBlocking<T: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> T) throws -> T {
        try base.readBlocking(body)
    }
    func close() throws { try base.close() }
}
