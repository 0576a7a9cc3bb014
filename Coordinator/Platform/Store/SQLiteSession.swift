import ProtocolSQLite

/// A connection while one closure uses it.
final class SQLiteSession: WriterSession {
    private let database: SQLiteDatabase
    /// What ``afterCommit(_:)`` collected, in order.
    private(set) var hooks: [@Sendable () -> Void] = []

    init(database: SQLiteDatabase) {
        self.database = database
    }

    var isInTransaction: Bool { database.isInTransaction }
    var isInDoubt: Bool { false }

    func query<T>(_ sql: String, _ arguments: [any SQLArgument], _ map: (any SQLRow) throws -> T) throws -> [T] {
        try binding(sql, arguments) { statement in
            let row = SQLiteRow(statement: statement)
            var results: [T] = []
            while try statement.step() { results.append(try map(row)) }
            return results
        }
    }

    @discardableResult
    func execute(_ sql: String, _ arguments: [any SQLArgument]) throws -> Int {
        try binding(sql, arguments) { statement in
            while try statement.step() {}
            return database.changes
        }
    }

    func afterCommit(_ work: @escaping @Sendable () -> Void) { hooks.append(work) }

    /// Several statements, separated by `;`.
    func executeScript(_ sql: String) throws { try translated { try database.run(sql) } }

    /// Forgets the hooks collected since there were `count` of them: their savepoint was undone.
    func dropHooks(after count: Int) { hooks.removeSubrange(count...) }

    /// Undoes the open transaction, if the engine has not done so itself.
    func rollback() {
        guard database.isInTransaction else { return }
        // A rollback that fails leaves nothing to try: the next transaction on this connection reports it.
        try? database.run("ROLLBACK")
    }

    func begin() throws { try execute("BEGIN IMMEDIATE") }
    func commit() throws { try execute("COMMIT") }
    func beginSavepoint(_ name: String) throws { try execute("SAVEPOINT \(name)") }
    func releaseSavepoint(_ name: String) throws { try execute("RELEASE \(name)") }
    func rollbackToSavepoint(_ name: String) throws {
        try execute("ROLLBACK TO \(name)")
        try execute("RELEASE \(name)")
    }

    func tables() throws -> [StoreTable] {
        let names = try query(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name", []
        ) { $0.text(0) }
        return try names.map { table in
            let columns = try query("SELECT name, pk FROM pragma_table_info(?) ORDER BY cid", [table]) {
                (name: $0.text(0), place: $0.int(1))
            }
            let key = columns.filter { $0.place > 0 }.sorted { $0.place < $1.place }.map(\.name)
            return StoreTable(name: table, columns: columns.map(\.name), key: key)
        }
    }

    func beginFilling() throws { try execute("PRAGMA defer_foreign_keys = ON", []) }

    func endFilling() throws {}
    /// Row keys go on behind the largest one by themselves.
    func settleNumbers() throws {}

    private func binding<T>(
        _ sql: String, _ arguments: [any SQLArgument], _ body: (SQLiteStatement) throws -> T
    ) throws -> T {
        try translated {
            try database.with(sql) { statement in
                for (index, argument) in arguments.enumerated() {
                    switch argument.sqlValue {
                    case .null: try statement.bindNull(at: index + 1)
                    case .integer(let value): try statement.bind(value, at: index + 1)
                    case .real(let value): try statement.bind(value, at: index + 1)
                    case .text(let value): try statement.bind(value, at: index + 1)
                    case .blob(let value): try statement.bind(value, at: index + 1)
                    }
                }
                return try body(statement)
            }
        }
    }

    private func translated<T>(_ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as SQLiteError { throw StoreError.translate(error) }
    }
}

/// Reads the columns where SQLite keeps them.
struct SQLiteRow: SQLRow {
    let statement: SQLiteStatement

    func isNull(_ column: Int) -> Bool { statement.isNull(column) }
    func integer(_ column: Int) -> Int64 { statement.integer(column) }
    func text(_ column: Int) -> String { statement.text(column) }
    func real(_ column: Int) -> Double { statement.real(column) }
    func blob(_ column: Int) -> [UInt8] { statement.blob(column) }
    func value(_ column: Int) -> SQLValue {
        switch statement.kind(column) {
        case .null: .null
        case .integer: .integer(integer(column))
        case .real: .real(real(column))
        case .text: .text(text(column))
        case .blob: .blob(blob(column))
        }
    }
}

extension StoreError {
    /// What callers can act on; everything else (a wrong statement) stays the engine's own error.
    static func translate(_ error: SQLiteError) -> any Error {
        switch error.kind {
        case .duplicate:
            let text = error.message
            return StoreError.duplicate(text.split(separator: ": ", maxSplits: 1).last.map(String.init) ?? text)
        case .missingReference:
            return StoreError.stale("a row that this one refers to is gone, or is still referred to")
        case .full:
            return StoreError.unavailable("no space left for the database: free some and try again")
        case .unwritable: return StoreError.unavailable("the database cannot be written: \(error.message)")
        case .damaged: return StoreError.corrupt(error.message)
        case .busy: return StoreError.overloaded
        case .other: return error
        }
    }
}
