import ProtocolSQLite

/// One SQLite connection of the store, set up for it.
final class SQLiteConnection: WriterConnection {
    private let queue: SQLiteQueue

    /// - Parameter path: `nil` for a database in memory, gone with the connection.
    init(path: String?, readOnly: Bool, pageCacheKiB: Int) throws {
        let database = try SQLiteDatabase(
            path: path, readOnly: readOnly, waiting: 10_000, statementMemory: readOnly ? 1 << 20 : 2 << 20)
        if path != nil, !readOnly { try database.run("PRAGMA journal_mode = WAL") }
        // Acknowledged means on the disk (design, section 4).
        try database.run("PRAGMA synchronous = FULL")
        try database.run("PRAGMA cache_size = \(-pageCacheKiB)")
        try database.run("PRAGMA temp_store = MEMORY")
        if !readOnly { try database.run("PRAGMA journal_size_limit = 16777216") }
        queue = SQLiteQueue(database, label: readOnly ? "skerry.store.reader" : "skerry.store.writer")
    }

    /// Runs the body on the connection's queue, after what was enqueued before it.
    func enqueue(_ body: @escaping @Sendable (SQLiteSession) -> Void) {
        queue.enqueue { database in body(SQLiteSession(database: database)) }
    }

    /// Waits for everything enqueued before and closes the connection; later use fails.
    func close() throws { queue.close() }
}
