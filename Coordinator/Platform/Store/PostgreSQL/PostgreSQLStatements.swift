/// The statements that one connection has prepared. Bounded in number and size, since some texts are put together from
/// what a caller asks for, and the server keeps a plan for each.
struct PostgreSQLStatements {
    struct Entry {
        /// Empty for a statement that is not kept.
        var name: String
        /// The types of its arguments.
        var types: [UInt32]
    }

    private struct Key: Hashable {
        var sql: String
        /// The types that the values told; `nil` where the server knew them.
        var types: [UInt32]?
    }

    /// Bytes of text of a statement that is kept, and of all that are.
    private static let longest = 8 << 10
    private static let most = 128 << 10
    private static let capacity = 256

    private var entries: [Key: Entry] = [:]
    private var size = 0
    private var number = 0

    /// Whether the next transaction is to begin with nothing prepared.
    private(set) var isFull = false

    func find(_ sql: String, _ values: [SQLValue]) -> Entry? {
        entries[Key(sql: sql)] ?? entries[Key(sql: sql, types: values.map(\.postgreSQLType))]
    }

    /// The name under which the statement is to be prepared.
    mutating func name(for sql: String) -> String {
        if entries.count >= Self.capacity || size >= Self.most { isFull = true }
        guard !isFull, sql.utf8.count <= Self.longest else { return "" }
        number += 1
        return "s\(number)"
    }

    /// - Parameter told: The types that the values told, where the server did not know.
    mutating func keep(_ sql: String, _ told: [UInt32]?, name: String, types: [UInt32]) -> Entry {
        let entry = Entry(name: name, types: types)
        if !name.isEmpty {
            entries[Key(sql: sql, types: told)] = entry
            size += sql.utf8.count
        }
        return entry
    }

    mutating func removeAll() {
        entries.removeAll()
        (size, isFull) = (0, false)
    }
}

extension SQLValue {
    /// The type that a value has by itself; 0 where the server is to guess.
    var postgreSQLType: UInt32 {
        switch self {
        case .null: 0
        case .integer: PostgreSQLType.int8
        case .real: PostgreSQLType.float8
        case .text: PostgreSQLType.text
        case .blob: PostgreSQLType.bytea
        }
    }
}
