import CoordinatorPlatform

/// A record with a table of its own: `record_key`, `generation`, `extra` and its columns.
protocol StoredRecord: IdentityRecord {
    static var table: StoredTable { get }
    /// In the order of the table's columns.
    var values: [any SQLArgument] { get }
    /// - Parameter row: `record_key`, `generation`, `extra`, then the table's columns.
    init(row: any SQLRow, extra: [String: JSON]) throws
}

/// The statements for one table, put together once.
struct StoredTable: Sendable {
    let select: String
    let insert: String
    let update: String
    let delete: String

    init(_ name: String, _ columns: [String]) {
        let list = (["record_key", "generation", "extra"] + columns).joined(separator: ", ")
        let marks = Array(repeating: "?", count: columns.count + 3).joined(separator: ", ")
        let changes = (["generation", "extra"] + columns).map { "\($0) = ?" }.joined(separator: ", ")
        select = "SELECT \(list) FROM \(name) ORDER BY id"
        insert = "INSERT INTO \(name) (\(list)) VALUES (\(marks))"
        update = "UPDATE \(name) SET \(changes) WHERE record_key = ? AND generation = ?"
        delete = "DELETE FROM \(name) WHERE record_key = ?"
    }
}

extension StoredRecord {
    static func all(in reader: any SQLReader) throws -> [Self] {
        try reader.query(table.select) { row in
            let extra = try JSON.parse(row.text(2)).objectValue ?? [:]
            var record = try Self(row: row, extra: extra)
            record.generation = row.integer(1)
            return record
        }
    }

    func insert(in transaction: any SQLTransaction) throws {
        try transaction.execute(
            Self.table.insert, [key, generation, JSON.object(extra).text] as [any SQLArgument] + values)
    }

    /// - Parameter seen: The generation that was read.
    /// - Throws: ``StoreError/stale(_:)`` when somebody changed it since.
    func update(after seen: Int64, in transaction: any SQLTransaction) throws {
        let changed = try transaction.execute(
            Self.table.update,
            [generation, JSON.object(extra).text] as [any SQLArgument] + values + [key, seen] as [any SQLArgument])
        guard changed == 1 else { throw StoreError.stale(key) }
    }

    func delete(in transaction: any SQLTransaction) throws {
        guard try transaction.execute(Self.table.delete, [key]) == 1 else { throw StoreError.stale(key) }
    }
}

extension JSON {
    /// Texts as one column.
    static func column(_ words: [String]) -> String { JSON.array(words.map { .string($0) }).text }
    static func words(_ column: String) throws -> [String] {
        try JSON.parse(column).arrayValue?.compactMap(\.stringValue) ?? []
    }
}
