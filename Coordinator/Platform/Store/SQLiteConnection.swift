import GRDB

/// One SQLite connection on its own serial queue, with the statements it has prepared.
///
/// `@unchecked Sendable`: ``statements`` is touched only inside closures of the connection's serial queue.
final class SQLiteConnection: WriterConnection, @unchecked Sendable {
    /// Declared before the queue, so that the statements are gone when the queue closes the connection.
    private let statements = StatementCache(capacity: 256)
    private let queue: DatabaseQueue

    /// - Parameter path: `nil` for a database in memory, gone with the connection.
    init(path: String?, readOnly: Bool, pageCacheKiB: Int) throws {
        var configuration = Configuration()
        configuration.readonly = readOnly
        configuration.busyMode = .timeout(10)
        configuration.label = readOnly ? "skerry.store.reader" : "skerry.store.writer"
        if path != nil, !readOnly { configuration.journalMode = .wal }
        queue =
            try path.map { try DatabaseQueue(path: $0, configuration: configuration) }
            ?? DatabaseQueue(configuration: configuration)
        try queue.inDatabase { database in
            // Acknowledged means on the disk (design, section 4). Set here because opening in WAL mode lowers it.
            try database.execute(sql: "PRAGMA synchronous = FULL")
            try database.execute(sql: "PRAGMA cache_size = \(-pageCacheKiB)")
            try database.execute(sql: "PRAGMA temp_store = MEMORY")
            if !readOnly { try database.execute(sql: "PRAGMA journal_size_limit = 16777216") }
        }
    }

    /// Runs the body on the connection's queue, after what was enqueued before it.
    func enqueue(_ body: @escaping @Sendable (SQLiteSession) -> Void) {
        queue.asyncWriteWithoutTransaction { [self] database in
            body(SQLiteSession(database: database, statements: statements))
        }
    }

    /// Waits for everything enqueued before and closes the connection; later use fails.
    func close() throws {
        queue.inDatabase { _ in statements.removeAll() }
        try queue.close()
    }
}

/// Prepared statements by their text. Bounded in number and size, since some texts are put together from what a caller
/// asks for, and a statement takes some fifty times the memory of its text.
final class StatementCache {
    /// Bytes of text of a statement that is kept, and of all that are.
    private static let longest = 8 << 10
    private static let most = 128 << 10

    final class Entry {
        let statement: Statement
        var isInUse = false

        init(_ statement: Statement) { self.statement = statement }
    }

    private var entries: [String: Entry] = [:]
    private var size = 0
    private let capacity: Int

    init(capacity: Int) { self.capacity = capacity }

    /// A statement that nobody steps at the moment: the same text may be asked again while its rows are being read.
    func borrow(_ sql: String, from database: Database) throws -> Entry {
        if let entry = entries[sql] {
            if !entry.isInUse {
                entry.isInUse = true
                return entry
            }
            return Entry(try database.makeStatement(sql: sql))
        }
        let entry = Entry(try database.makeStatement(sql: sql))
        guard sql.utf8.count <= Self.longest else { return entry }
        if entries.count >= capacity || size >= Self.most {
            entries = entries.filter(\.value.isInUse)
            size = entries.keys.reduce(0) { $0 + $1.utf8.count }
        }
        entry.isInUse = true
        entries[sql] = entry
        size += sql.utf8.count
        return entry
    }

    /// A statement that failed is not used again: resetting one reports its last error once more.
    func drop(_ sql: String) {
        if entries.removeValue(forKey: sql) != nil { size -= sql.utf8.count }
    }

    func removeAll() {
        entries.removeAll()
        size = 0
    }
}
