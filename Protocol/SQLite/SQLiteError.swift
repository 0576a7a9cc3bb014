import CSQLite

/// What SQLite refused.
public struct SQLiteError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The extended result code (sqlite.org/rescode.html).
    public var code: Int32
    public var message: String
    /// The statement, where there was one.
    public var statement: String?

    public init(code: Int32, message: String, statement: String? = nil) {
        self.code = code
        self.message = message
        self.statement = statement
    }

    /// What a caller can tell apart.
    public enum Kind: Sendable, Equatable {
        case duplicate, missingReference, full, unwritable, damaged, busy, other
    }

    public var kind: Kind {
        switch code {
        case skerryDuplicate, skerryDuplicateKey: return .duplicate
        case skerryMissingReference: return .missingReference
        default: break
        }
        // The low octet is the code without what is special about it.
        switch code & 0xff {
        case SQLITE_FULL: return .full
        case SQLITE_READONLY, SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_NOLFS: return .unwritable
        case SQLITE_CORRUPT, SQLITE_NOTADB: return .damaged
        case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_NOMEM: return .busy
        default: return .other
        }
    }

    public var description: String {
        "SQLite error \(code): \(message)" + (statement.map { " - while executing `\($0)`" } ?? "")
    }
}
