import CSQLite

/// A prepared statement, and the row that it stands on. Parameters are counted from 1 and columns from 0, as SQLite does.
public final class SQLiteStatement {
    public let sql: String
    /// Bytes of memory that it takes.
    let size: Int
    private let pointer: OpaquePointer

    init(sql: String, pointer: OpaquePointer) {
        self.sql = sql
        self.pointer = pointer
        // It walks through the whole statement, so it is asked once.
        size = Int(sqlite3_stmt_status(pointer, SQLITE_STMTSTATUS_MEMUSED, 0))
    }

    deinit { sqlite3_finalize(pointer) }

    // MARK: Running

    /// - Returns: Whether it stands on a row now; `false` when it has run to its end.
    public func step() throws(SQLiteError) -> Bool {
        switch sqlite3_step(pointer) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw failure(code)
        }
    }

    /// Lets go of the row and of what was bound, for the next use.
    func rewind() {
        // It repeats the error of the last step, which is known.
        sqlite3_reset(pointer)
        sqlite3_clear_bindings(pointer)
    }

    // MARK: Parameters

    public func bind(_ value: Int64, at index: Int) throws(SQLiteError) {
        try check(sqlite3_bind_int64(pointer, Int32(index), value))
    }

    public func bind(_ value: Double, at index: Int) throws(SQLiteError) {
        try check(sqlite3_bind_double(pointer, Int32(index), value))
    }

    public func bind(_ value: String, at index: Int) throws(SQLiteError) {
        var value = value
        try check(value.withUTF8 { skerryBindText(pointer, Int32(index), $0.baseAddress, Int32($0.count)) })
    }

    public func bind(_ value: [UInt8], at index: Int) throws(SQLiteError) {
        try check(value.withUnsafeBytes { skerryBindBlob(pointer, Int32(index), $0.baseAddress, Int32($0.count)) })
    }

    public func bindNull(at index: Int) throws(SQLiteError) {
        try check(sqlite3_bind_null(pointer, Int32(index)))
    }

    // MARK: Columns

    /// What a value is, as SQLite keeps it.
    public enum ColumnKind: Sendable, Hashable {
        case null, integer, real, text, blob
    }

    public func kind(_ column: Int) -> ColumnKind {
        switch sqlite3_column_type(pointer, Int32(column)) {
        case SQLITE_INTEGER: .integer
        case SQLITE_FLOAT: .real
        case SQLITE_TEXT: .text
        case SQLITE_BLOB: .blob
        default: .null
        }
    }

    public func isNull(_ column: Int) -> Bool { sqlite3_column_type(pointer, Int32(column)) == SQLITE_NULL }

    /// 0 for NULL.
    public func integer(_ column: Int) -> Int64 { sqlite3_column_int64(pointer, Int32(column)) }

    /// 0 for NULL.
    public func real(_ column: Int) -> Double { sqlite3_column_double(pointer, Int32(column)) }

    /// Empty for NULL.
    public func text(_ column: Int) -> String {
        guard let start = sqlite3_column_text(pointer, Int32(column)) else { return "" }
        let count = Int(sqlite3_column_bytes(pointer, Int32(column)))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    /// Empty for NULL.
    public func blob(_ column: Int) -> [UInt8] {
        guard let start = sqlite3_column_blob(pointer, Int32(column)) else { return [] }
        return [UInt8](UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(pointer, Int32(column)))))
    }

    // MARK: Errors

    private func check(_ code: Int32) throws(SQLiteError) {
        guard code == SQLITE_OK else { throw failure(code) }
    }

    private func failure(_ code: Int32) -> SQLiteError {
        let message = sqlite3_errmsg(sqlite3_db_handle(pointer)).map { String(cString: $0) }
        return SQLiteError(code: code, message: message ?? "unknown", statement: sql)
    }
}
