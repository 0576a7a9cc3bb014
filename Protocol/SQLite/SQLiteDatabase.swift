import CSQLite

/// An open database with the statements it has prepared. One thread at a time may use it: ``SQLiteQueue`` sees to that.
public final class SQLiteDatabase {
    /// `nil` when closed.
    private var pointer: OpaquePointer?
    private let statements: StatementCache

    /// Opens or makes a file. References between tables are enforced, and whoever finds it locked waits.
    /// - Parameters:
    ///   - path: `nil` for a database in memory, gone with the connection.
    ///   - waiting: How long it waits for another connection's lock, in milliseconds.
    ///   - statementMemory: Bytes that prepared statements may take before the least used are let go of.
    public init(
        path: String?, readOnly: Bool = false, waiting: Int32, statementMemory: Int
    ) throws(SQLiteError) {
        statements = StatementCache(limit: statementMemory)
        let access = readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        // No mutex of SQLite's own: whoever owns the connection serves one caller after another.
        let code = sqlite3_open_v2(path ?? ":memory:", &pointer, access | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK else {
            let error = failure(code)
            close()
            throw error
        }
        sqlite3_extended_result_codes(pointer, 1)
        sqlite3_busy_timeout(pointer, waiting)
        skerryRefuseQuotedTexts(pointer)
        try run("PRAGMA foreign_keys = ON")
    }

    deinit { close() }

    /// Closes the file; what is called later fails.
    public func close() {
        statements.removeAll()
        // It waits for statements that are still held somewhere.
        sqlite3_close_v2(pointer)
        pointer = nil
    }

    /// Runs statements without parameters, separated by `;`. What they return is dropped.
    public func run(_ script: String) throws(SQLiteError) {
        try check(sqlite3_exec(try open, script, nil, nil, nil), script)
    }

    /// Lends a statement, prepared once and kept, and rewinds it afterwards.
    public func with<T>(_ sql: String, _ body: (SQLiteStatement) throws -> T) throws -> T {
        let statement = try statements.take(sql) ?? prepare(sql)
        defer {
            statement.rewind()
            statements.give(statement)
        }
        return try body(statement)
    }

    /// How many rows the last statement changed.
    public var changes: Int { pointer.map { Int(sqlite3_changes($0)) } ?? 0 }

    public var isInTransaction: Bool { pointer.map { sqlite3_get_autocommit($0) == 0 } ?? false }

    /// Bytes that the kept statements take.
    package var statementMemory: Int { statements.size }

    package func isPrepared(_ sql: String) -> Bool { statements.has(sql) }

    private var open: OpaquePointer {
        get throws(SQLiteError) {
            guard let pointer else { throw SQLiteError(code: SQLITE_MISUSE, message: "the connection is closed") }
            return pointer
        }
    }

    private func prepare(_ sql: String) throws(SQLiteError) -> SQLiteStatement {
        var made: OpaquePointer?
        try check(sqlite3_prepare_v3(try open, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &made, nil), sql)
        guard let made else { throw SQLiteError(code: SQLITE_MISUSE, message: "not a statement", statement: sql) }
        return SQLiteStatement(sql: sql, pointer: made)
    }

    private func check(_ code: Int32, _ sql: String) throws(SQLiteError) {
        guard code == SQLITE_OK else { throw failure(code, sql) }
    }

    private func failure(_ code: Int32, _ sql: String? = nil) -> SQLiteError {
        SQLiteError(code: code, message: sqlite3_errmsg(pointer).map { String(cString: $0) } ?? "", statement: sql)
    }
}
