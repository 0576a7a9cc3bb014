import ProtocolModel

/// A value as both engines store it.
public enum SQLValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
}

/// What can stand for a `?` in a statement.
public protocol SQLArgument: Sendable {
    var sqlValue: SQLValue { get }
}

/// One row while the statement stands on it; columns are counted from 0. Valid only inside the closure that receives
/// it.
public protocol SQLRow {
    func isNull(_ column: Int) -> Bool
    func integer(_ column: Int) -> Int64
    func text(_ column: Int) -> String
    func blob(_ column: Int) -> [UInt8]
    func real(_ column: Int) -> Double
    /// The value as it is stored, for who does not know its kind.
    func value(_ column: Int) -> SQLValue
}

/// A consistent view of the database. Only valid inside the closure that receives it, on that closure's thread.
public protocol SQLReader {
    /// Runs a query and maps each row. Statements are prepared once and kept.
    func query<T>(_ sql: String, _ arguments: [any SQLArgument], _ map: (any SQLRow) throws -> T) throws -> [T]
}

/// One transaction. What it throws undoes all of it, and only it: concurrent ones may share a commit.
public protocol SQLTransaction: SQLReader {
    /// - Returns: How many rows the statement changed.
    @discardableResult
    func execute(_ sql: String, _ arguments: [any SQLArgument]) throws -> Int
    /// Runs once the transaction is durable, on no particular thread, in order; never when it is undone. For waking
    /// whoever acts on the change, so it must be short and must not block.
    func afterCommit(_ work: @escaping @Sendable () -> Void)
    /// Runs `body` as a part of the transaction that is undone alone, hooks included, when `body` throws; that error is
    /// thrown on. Parts may be nested.
    func savepoint<T>(_ body: () throws -> T) throws -> T
}

/// The store. Plain SQL that SQLite and PostgreSQL both take (design, section 4).
public protocol SQLDatabase: Sendable {
    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> T) async throws -> T
    /// Returns once the transaction is durable.
    @discardableResult
    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T
}

extension SQLReader {
    public func query<T>(_ sql: String, _ map: (any SQLRow) throws -> T) throws -> [T] { try query(sql, [], map) }

    /// The first row, or `nil`.
    public func first<T>(_ sql: String, _ arguments: [any SQLArgument] = [], _ map: (any SQLRow) throws -> T) throws
        -> T?
    {
        try query(sql, arguments, map).first
    }

    /// The single integer of a `SELECT COUNT(*)`-like statement; 0 without a row.
    public func count(_ sql: String, _ arguments: [any SQLArgument] = []) throws -> Int {
        Int(try query(sql, arguments) { $0.integer(0) }.first ?? 0)
    }
}

extension SQLTransaction {
    @discardableResult
    public func execute(_ sql: String) throws -> Int { try execute(sql, []) }
}

extension SQLRow {
    public func int(_ column: Int) -> Int { Int(integer(column)) }
    public func bool(_ column: Int) -> Bool { integer(column) != 0 }
    public func optionalText(_ column: Int) -> String? { isNull(column) ? nil : text(column) }
    public func optionalInteger(_ column: Int) -> Int64? { isNull(column) ? nil : integer(column) }
    /// - Throws: ``StoreError/corrupt(_:)`` when the column does not hold an identifier.
    public func id<Resource>(_ column: Int) throws -> Identifier<Resource> {
        let text = text(column)
        guard let id = Identifier<Resource>(text) else { throw StoreError.corrupt("'\(text)' is not an identifier") }
        return id
    }
    public func optionalID<Resource>(_ column: Int) throws -> Identifier<Resource>? {
        isNull(column) ? nil : try id(column)
    }
    /// - Throws: ``StoreError/corrupt(_:)`` when the column does not hold an address.
    public func address(_ column: Int) throws -> IPAddress {
        let text = text(column)
        guard let address = IPAddress(text) else { throw StoreError.corrupt("'\(text)' is not an address") }
        return address
    }
}

/// What the store itself can refuse.
public enum StoreError: Error, Sendable, Equatable {
    /// A conditional write found that the row had changed: read again and decide again.
    case stale(String)
    /// A unique index refused a duplicate; the text names table and columns.
    case duplicate(String)
    /// A stored value is not what its column promises.
    case corrupt(String)
    /// More writes are waiting than the store takes.
    case overloaded
    /// The disk is full, read-only or broken.
    case unavailable(String)
}

extension Optional: SQLArgument where Wrapped: SQLArgument {
    public var sqlValue: SQLValue { self?.sqlValue ?? .null }
}
extension SQLValue: SQLArgument { public var sqlValue: SQLValue { self } }
extension Int: SQLArgument { public var sqlValue: SQLValue { .integer(Int64(self)) } }
extension Int64: SQLArgument { public var sqlValue: SQLValue { .integer(self) } }
extension Bool: SQLArgument { public var sqlValue: SQLValue { .integer(self ? 1 : 0) } }
extension Double: SQLArgument { public var sqlValue: SQLValue { .real(self) } }
extension String: SQLArgument { public var sqlValue: SQLValue { .text(self) } }
extension [UInt8]: SQLArgument { public var sqlValue: SQLValue { .blob(self) } }
extension Identifier: SQLArgument { public var sqlValue: SQLValue { .text(text) } }
extension IPAddress: SQLArgument { public var sqlValue: SQLValue { .text(description) } }
extension IPPrefix: SQLArgument { public var sqlValue: SQLValue { .text(description) } }
extension MACAddress: SQLArgument { public var sqlValue: SQLValue { .text(description) } }
