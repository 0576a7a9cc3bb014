import Synchronization

/// The embedded engine: SQLite in WAL mode, a few readers, one writer whose waiting writes share commits.
///
/// Every acknowledged write is on the disk (`synchronous = FULL`). Bodies run on the connections' own threads, never on
/// the concurrency pool; they must not wait for anything.
public final class EmbeddedDatabase: SQLDatabase {
    public struct Limits: Sendable {
        /// Connections for reading.
        public var readers = 3
        /// Writes that may wait before ``StoreError/overloaded``.
        public var waitingWrites = 8192
        /// Reads that may wait on each connection before ``StoreError/overloaded``.
        public var waitingReads = 4096
        /// Writes that share one commit at most.
        public var writesPerCommit = 256
        /// SQLite's page cache per connection, KiB. The kernel's page cache holds the rest.
        public var pageCacheKiB = 1024

        public init() {}
    }

    private let writer: SQLiteConnection
    private let group: GroupCommit
    /// Empty for a database in memory: then the writer's connection reads, too.
    private let readers: [SQLiteConnection]
    private let readsInFlight: Mutex<[Int]>
    private let limits: Limits

    /// Opens or creates the file.
    public init(path: String, limits: Limits = Limits()) throws {
        self.limits = limits
        writer = try SQLiteConnection(path: path, readOnly: false, pageCacheKiB: limits.pageCacheKiB)
        readers = try (0..<max(1, limits.readers)).map { _ in
            try SQLiteConnection(path: path, readOnly: true, pageCacheKiB: limits.pageCacheKiB)
        }
        readsInFlight = Mutex(Array(repeating: 0, count: readers.count))
        group = GroupCommit(connection: writer, limit: limits.waitingWrites, batchLimit: limits.writesPerCommit)
    }

    /// A database in memory, for tests.
    public init(inMemory limits: Limits = Limits()) throws {
        self.limits = limits
        writer = try SQLiteConnection(path: nil, readOnly: false, pageCacheKiB: limits.pageCacheKiB)
        readers = []
        readsInFlight = Mutex([0])
        group = GroupCommit(connection: writer, limit: limits.waitingWrites, batchLimit: limits.writesPerCommit)
    }

    /// How many commits have become durable, for keying caches of what was read. Taken *before* a read begins it is safe:
    /// what is read is then never older than the number says, and whoever waited for a write sees a new number.
    public var commits: Int { group.commits.load(ordering: .acquiring) }

    /// One consistent view for the whole body.
    public func read<T: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> T) async throws -> T {
        let index = try readsInFlight.withLock { counts in
            let index = counts.indices.min { counts[$0] < counts[$1] } ?? 0
            guard counts[index] < limits.waitingReads else { throw StoreError.overloaded }
            counts[index] += 1
            return index
        }
        defer { readsInFlight.withLock { $0[index] -= 1 } }
        let connection = readers.isEmpty ? writer : readers[index]
        return try await withCheckedThrowingContinuation { continuation in
            connection.enqueue { session in
                continuation.resume(with: Result { try Self.consistently(session, body) })
            }
        }
    }

    /// Returns once the transaction is durable and its ``SQLTransaction/afterCommit(_:)`` work has run.
    @discardableResult
    public func write<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let kept = Kept<T>()
            let entry = GroupCommit.Entry(
                run: { session in
                    let value = try body(session)
                    kept.value.withLock { $0 = value }
                },
                finish: { error in
                    if let error { return continuation.resume(throwing: error) }
                    guard let value = kept.value.withLock({ $0.take() }) else {
                        return continuation.resume(
                            throwing: StoreError.unavailable("the write was committed without a result"))
                    }
                    continuation.resume(returning: value)
                })
            do { try group.submit(entry) } catch { continuation.resume(throwing: error) }
        }
    }

    /// Waits for what is under way and closes the file. Later calls fail.
    public func close() throws {
        for reader in readers { try reader.close() }
        try writer.close()
    }

    /// Runs a migration: its script and then its record, in one transaction.
    func runScript(_ sql: String, then record: @escaping @Sendable (any SQLTransaction) throws -> Void) async throws {
        let _: Bool = try await write { transaction in
            guard let session = transaction as? SQLiteSession else {
                throw StoreError.unavailable("this transaction belongs to another engine")
            }
            try session.executeScript(sql)
            try record(session)
            return true
        }
    }

    private static func consistently<T>(_ session: SQLiteSession, _ body: (any SQLReader) throws -> T) throws -> T {
        try session.execute("BEGIN")
        do {
            let result = try body(session)
            try session.execute("COMMIT")
            return result
        } catch {
            session.rollback()
            throw error
        }
    }
}

/// The result of one write between its run and its commit.
private final class Kept<T: Sendable>: Sendable {
    let value = Mutex<T?>(nil)
}
