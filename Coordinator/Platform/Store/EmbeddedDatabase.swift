/// The embedded engine: SQLite in WAL mode, a few readers, one writer whose waiting writes share commits.
///
/// Every acknowledged write is on the disk (`synchronous = FULL`). Bodies run on the connections' own threads, never on
/// the concurrency pool; they must not wait for anything.
public final class EmbeddedDatabase: StoreEngine {
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
    private let group: GroupCommit<SQLiteConnection>
    /// The writer's connection alone for a database in memory.
    private let readers: ReaderPool<SQLiteConnection>

    /// Opens or creates the file.
    public init(path: String, limits: Limits = Limits()) throws {
        writer = try SQLiteConnection(path: path, readOnly: false, pageCacheKiB: limits.pageCacheKiB)
        readers = ReaderPool(
            try (0..<max(1, limits.readers)).map { _ in
                try SQLiteConnection(path: path, readOnly: true, pageCacheKiB: limits.pageCacheKiB)
            }, limit: limits.waitingReads)
        group = GroupCommit(connection: writer, limit: limits.waitingWrites, batchLimit: limits.writesPerCommit)
    }

    /// A database in memory, for tests.
    public init(inMemory limits: Limits = Limits()) throws {
        writer = try SQLiteConnection(path: nil, readOnly: false, pageCacheKiB: limits.pageCacheKiB)
        readers = ReaderPool([writer], limit: limits.waitingReads)
        group = GroupCommit(connection: writer, limit: limits.waitingWrites, batchLimit: limits.writesPerCommit)
    }

    /// How many commits have become durable, for keying caches of what was read. Taken *before* a read begins it is safe:
    /// what is read is then never older than the number says, and whoever waited for a write sees a new number.
    public var commits: Int { group.commits.load(ordering: .acquiring) }

    /// One consistent view for the whole body.
    public func read<T: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> T) async throws -> T {
        try await readers.lease { connection in
            try await withCheckedThrowingContinuation { continuation in
                connection.enqueue { session in
                    continuation.resume(with: Result { try Self.consistently(session, body) })
                }
            }
        }
    }

    /// Returns once the transaction is durable and its ``SQLTransaction/afterCommit(_:)`` work has run.
    @discardableResult
    public func write<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
        try await group.write(body)
    }

    public func readBlocking<T: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> T) throws -> T {
        try readers.connections[0].blocking { try Self.consistently($0, body) }
    }

    /// Waits for what is under way and closes the file. Later calls fail.
    public func close() throws {
        for reader in readers.connections where reader !== writer { try reader.close() }
        try writer.close()
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
