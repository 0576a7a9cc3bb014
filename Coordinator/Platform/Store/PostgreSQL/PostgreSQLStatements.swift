/// The statements that one connection has prepared. Bounded in number and size, since some texts are put together from
/// what a caller asks for, and the server keeps a plan for each.
struct PostgreSQLStatements {
    struct Entry {
        var name: String
        /// Whether it is there for the next time.
        var isKept: Bool
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

    private var isFull = false
    /// Those that are not kept, and that the server still has.
    private var discarded: [String] = []

    func find(_ sql: String, _ values: [SQLValue]) -> Entry? {
        entries[Key(sql: sql)] ?? entries[Key(sql: sql, types: values.map(\.postgreSQLType))]
    }

    /// A name that no other statement of the connection has had.
    mutating func newName() -> String {
        number += 1
        return "s\(number)"
    }

    /// - Parameter told: The types that the values told, where the server did not know.
    mutating func keep(_ sql: String, _ told: [UInt32]?, name: String, types: [UInt32]) -> Entry {
        if entries.count >= Self.capacity || size >= Self.most { isFull = true }
        let entry = Entry(name: name, isKept: !isFull && sql.utf8.count <= Self.longest, types: types)
        if entry.isKept {
            entries[Key(sql: sql, types: told)] = entry
            size += sql.utf8.count
        } else {
            discarded.append(name)
        }
        return entry
    }

    /// What makes the server forget the statements that are not kept; all of them where there are too many. To be sent
    /// when a transaction begins, since one that has failed takes no such commands.
    mutating func forgetting() -> [String] {
        guard isFull else {
            defer { discarded.removeAll() }
            return discarded.map { "DEALLOCATE \($0)" }
        }
        removeAll()
        return ["DEALLOCATE ALL"]
    }

    mutating func removeAll() {
        entries.removeAll()
        discarded.removeAll()
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
