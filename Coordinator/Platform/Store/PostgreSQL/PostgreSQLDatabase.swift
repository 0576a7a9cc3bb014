/// PostgreSQL through libpq: some readers with a view of their own each, one writer whose waiting writes share commits,
/// each on a connection with a thread of its own.
///
/// What several coordinators write into one database is done one after the other (``PostgreSQLSession/begin()``).
public final class PostgreSQLDatabase: StoreEngine {
    public struct Limits: Sendable {
        /// Connections for reading. Each is a process of the server.
        public var readers = 4
        /// Writes that may wait before ``StoreError/overloaded``.
        public var waitingWrites = 8192
        /// Reads that may wait on each connection before ``StoreError/overloaded``.
        public var waitingReads = 4096
        /// Writes that share one commit at most. The server keeps 64 savepoints of a transaction at hand, and whoever
        /// reads pays for those beyond.
        public var writesPerCommit = 60

        public init() {}
    }

    private let writer: PostgreSQLConnection
    private let group: GroupCommit<PostgreSQLConnection>
    private let readers: ReaderPool<PostgreSQLConnection>

    /// Connects.
    /// - Parameters:
    ///   - url: What libpq takes: `postgresql://user@host/database?sslmode=verify-full`.
    ///   - isAlone: Whether nobody else may have opened the database so, which this waits for up to 5 s.
    /// - Throws: ``StoreError/unavailable(_:)`` when the server cannot be reached, or its database does not serve.
    public init(url: String, alone isAlone: Bool = false, limits: Limits = Limits()) async throws {
        writer = PostgreSQLConnection(.init(url: url, isExclusive: isAlone))
        readers = ReaderPool(
            (0..<max(1, limits.readers)).map { _ in PostgreSQLConnection(.init(url: url)) }, limit: limits.waitingReads)
        group = GroupCommit(connection: writer, limit: limits.waitingWrites, batchLimit: limits.writesPerCommit)
        for attempt in 0... {
            do {
                try await writer.check()
                return
            } catch {
                guard attempt < 10 else { throw error }
            }
            try await Task.sleep(for: .milliseconds(500))
        }
    }

    /// How many commits of this coordinator have become durable: see ``EmbeddedDatabase/commits``.
    public var commits: Int { group.commits.load(ordering: .acquiring) }
    public var doubtfulCommits: Int { group.doubts.load(ordering: .acquiring) }

    /// One consistent view for the whole body.
    public func read<T: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> T) async throws -> T {
        try await readers.lease { connection in
            try await withCheckedThrowingContinuation { continuation in
                connection.enqueue { session in
                    continuation.resume(with: Result { try session.consistently(body) })
                    session.endReading()
                }
            }
        }
    }

    public func readBlocking<T: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> T) throws -> T {
        try readers.connections[0].blocking { session in
            defer { session.endReading() }
            return try session.consistently(body)
        }
    }

    /// Returns once the transaction is durable and its ``SQLTransaction/afterCommit(_:)`` work has run.
    @discardableResult
    public func write<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
        try await group.write(body)
    }

    /// Waits for what is under way and ends the connections. Later calls fail.
    public func close() throws {
        for reader in readers.connections { reader.close() }
        writer.close()
    }

    /// Runs one command that no transaction may hold, such as `CREATE DATABASE`, on a connection of its own. Blocks.
    package static func command(_ sql: String, at url: String) throws {
        let link = try PostgreSQLLink(url: url, timeoutSeconds: 5)
        do { _ = try link.roundTrip([.command(sql)], seconds: 60) } catch let failure as PostgreSQLLink.Failure {
            throw failure.error.translated
        }
    }
}
