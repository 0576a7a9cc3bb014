/// What stands for a `?` in a statement.
public enum SQLiteValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
}

extension SQLiteStatement {
    /// - Parameter index: From 1.
    public func bind(_ value: SQLiteValue, at index: Int) throws(SQLiteError) {
        switch value {
        case .null: try bindNull(at: index)
        case .integer(let value): try bind(value, at: index)
        case .real(let value): try bind(value, at: index)
        case .text(let value): try bind(value, at: index)
        case .blob(let value): try bind(value, at: index)
        }
    }
}

extension SQLiteDatabase {
    /// Runs a query and maps each row, which is the statement as it stands.
    @discardableResult
    public func rows<T>(
        _ sql: String, _ values: [SQLiteValue] = [], _ map: (SQLiteStatement) throws -> T
    ) throws -> [T] {
        try with(sql) { statement in
            for (index, value) in values.enumerated() { try statement.bind(value, at: index + 1) }
            var results: [T] = []
            while try statement.step() { results.append(try map(statement)) }
            return results
        }
    }

    /// Runs a statement that returns nothing.
    public func execute(_ sql: String, _ values: [SQLiteValue] = []) throws {
        try rows(sql, values) { _ in }
    }
}
