/// One table of records of one kind, with the statements that every kind needs, put together once.
///
/// The table has an integer key `id` in order of insertion, given by the database. Rows are found by the unique column of
/// role ``ColumnRole/key``, and where there is none by that of role ``ColumnRole/number``.
public struct RecordTable<Record: TableRecord>: Sendable {
    public let name: String
    /// What a FROM clause needs: the table under its alias, and what it is joined with.
    public let source: String
    /// The alias with a dot at its end, or nothing.
    public let prefix: String
    /// The columns of a SELECT that ``record(_:)`` reads.
    public let selection: String
    private let key: String
    private let keyRole: ColumnRole
    private let generation: String?
    private let insertion: String
    private let change: String

    /// - Parameters:
    ///   - alias: Needed where the table is joined.
    ///   - join: `JOIN networks n ON n.uuid = s.network_id`.
    public init(_ name: String, alias: String = "", join: String = "") {
        self.name = name
        prefix = alias.isEmpty ? "" : "\(alias)."
        source = [name, alias, join].filter { !$0.isEmpty }.joined(separator: " ")
        var collector = ColumnCollector()
        var blank = Record.blank
        // A collector never throws, and a record only hands on what it throws.
        try? blank.columns(&collector)
        let columns = collector.columns
        func names(_ roles: Set<ColumnRole>) -> [String] { columns.filter { roles.contains($0.role) }.map(\.name) }
        let ownKey = names([.key]).first
        key = ownKey ?? names([.number]).first ?? "id"
        keyRole = ownKey == nil ? .number : .key
        generation = names([.generation]).first
        let prefix = prefix
        selection = columns.map { $0.role == .joined ? $0.name : prefix + $0.name }.joined(separator: ", ")
        let written = names(Self.writtenOnce)
        insertion = """
            INSERT INTO \(name) (\(written.joined(separator: ", "))) \
            VALUES (\(written.map { _ in "?" }.joined(separator: ", ")))
            """
        let changing = names([.changing]).map { "\($0) = ?" } + (generation.map { ["\($0) = \($0) + 1"] } ?? [])
        change = "UPDATE \(name) SET \(changing.joined(separator: ", ")) WHERE \(key) = ?"
    }

    private static var writtenOnce: Set<ColumnRole> { [.key, .fixed, .changing, .generation] }

    /// Reads a row of a SELECT of ``selection``.
    public func record(_ row: any SQLRow) throws -> Record {
        var reader = RowReader(row: row)
        var record = Record.blank
        try record.columns(&reader)
        return record
    }

    // MARK: Reading

    public func find(_ key: any SQLArgument, in reader: any SQLReader) throws -> Record? {
        try reader.first(
            "SELECT \(selection) FROM \(source) WHERE \(prefix)\(self.key) = ?", [key], record)
    }

    /// Those that there are, in no particular order.
    public func find(_ keys: [any SQLArgument], in reader: any SQLReader) throws -> [Record] {
        try reader.inPieces(keys) { try all(where: .in(prefix + key, Array($0)), order: nil, in: reader) }
    }

    public func first(
        where condition: SQLCondition, order: String? = nil, in reader: any SQLReader
    ) throws -> Record? {
        try all(where: condition, order: order, limit: 1, in: reader).first
    }

    /// - Parameters:
    ///   - order: `nil` for none; by default the order of insertion.
    ///   - limit: At most so many.
    public func all(
        where condition: SQLCondition = .always, order: String? = "id", limit: Int? = nil, in reader: any SQLReader
    ) throws -> [Record] {
        let ordered = order.map { " ORDER BY \($0 == "id" ? prefix + $0 : $0)" } ?? ""
        let limited = limit == nil ? "" : " LIMIT ?"
        return try reader.query(
            "SELECT \(selection) FROM \(source) WHERE \(condition.sql)\(ordered)\(limited)",
            condition.arguments + (limit.map { [$0] } ?? []), record)
    }

    /// The same, where a row that cannot be read is to cost itself alone.
    public func readable(
        where condition: SQLCondition, order: String, limit: Int, skipping skipped: Int = 0, in reader: any SQLReader
    ) throws -> ReadableRows<Record> {
        let rows = try reader.query(
            "SELECT \(selection) FROM \(source) WHERE \(condition.sql) ORDER BY \(order) LIMIT ? OFFSET ?",
            condition.arguments + [limit, skipped]
        ) { row in Result { try record(row) } }
        var result = ReadableRows<Record>(count: rows.count)
        for row in rows {
            switch row {
            case .success(let record): result.records.append(record)
            case .failure(let error): result.failures.append("\(error)")
            }
        }
        return result
    }

    public func count(where condition: SQLCondition = .always, in reader: any SQLReader) throws -> Int {
        try reader.count(source, condition)
    }

    public func exists(where condition: SQLCondition, in reader: any SQLReader) throws -> Bool {
        try reader.exists(source, condition)
    }

    // MARK: Writing

    /// - Returns: The row's number.
    /// - Throws: ``StoreError/duplicate(_:)``
    @discardableResult
    public func insert(_ record: Record, in transaction: any SQLTransaction) throws -> Int64 {
        try transaction.query("\(insertion) RETURNING id", values(of: record, Self.writtenOnce)) { $0.integer(0) }
            .first ?? 0
    }

    /// - Parameter columns: A unique index's: `network_id, mac`.
    /// - Returns: `false`, and nothing is written, when there is a row with the same values in them.
    public func insert(
        _ record: Record, unlessTaken columns: String, in transaction: any SQLTransaction
    ) throws -> Bool {
        try transaction.execute(
            "\(insertion) ON CONFLICT (\(columns)) DO NOTHING", values(of: record, Self.writtenOnce)) == 1
    }

    /// Writes what changes of the record, and counts its generation up.
    /// - Throws: ``StoreError/stale(_:)`` when it has another generation than the record by now, or is gone.
    public func update(_ record: Record, in transaction: any SQLTransaction) throws {
        var arguments = try values(of: record, [.changing]) + values(of: record, [keyRole])
        var statement = change
        if let generation {
            statement += " AND \(generation) = ?"
            arguments += try values(of: record, [.generation])
        }
        guard try transaction.execute(statement, arguments) == 1 else {
            let key = try values(of: record, [keyRole]).first.map { "\($0)" } ?? ""
            throw StoreError.stale("\(name) \(key)")
        }
    }

    /// - Returns: Whether there was one.
    @discardableResult
    public func delete(_ key: any SQLArgument, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.execute("DELETE FROM \(name) WHERE \(self.key) = ?", [key]) == 1
    }

    /// - Returns: How many there were.
    @discardableResult
    public func delete(where condition: SQLCondition, in transaction: any SQLTransaction) throws -> Int {
        try transaction.execute("DELETE FROM \(name) WHERE \(condition.sql)", condition.arguments)
    }

    private func values(of record: Record, _ roles: Set<ColumnRole>) throws -> [any SQLArgument] {
        var collector = ValueCollector(roles: roles)
        var record = record
        try record.columns(&collector)
        return collector.values
    }
}

/// Rows of which some may be damaged.
public struct ReadableRows<Record: Sendable>: Sendable {
    public var records: [Record] = []
    /// Why the others cannot be read.
    public var failures: [String] = []
    /// How many rows there were.
    public var count: Int

    public init(_ records: [Record] = [], failures: [String] = [], count: Int) {
        self.records = records
        self.failures = failures
        self.count = count
    }
}
