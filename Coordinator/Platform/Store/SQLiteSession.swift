import GRDB

import struct FoundationEssentials.Data

/// A connection while one closure uses it.
final class SQLiteSession: WriterSession {
    private let database: Database
    private let statements: StatementCache
    /// What ``afterCommit(_:)`` collected, in order.
    private(set) var hooks: [@Sendable () -> Void] = []

    init(database: Database, statements: StatementCache) {
        self.database = database
        self.statements = statements
    }

    var isInTransaction: Bool { database.isInsideTransaction }

    func query<T>(_ sql: String, _ arguments: [any SQLArgument], _ map: (any SQLRow) throws -> T) throws -> [T] {
        try borrowing(sql) { statement in
            let rows = try Row.fetchCursor(statement, arguments: bound(arguments))
            var results: [T] = []
            while let row = try rows.next() { results.append(try map(SQLiteRow(row: row))) }
            return results
        }
    }

    @discardableResult
    func execute(_ sql: String, _ arguments: [any SQLArgument]) throws -> Int {
        try borrowing(sql) { statement in
            try statement.execute(arguments: bound(arguments))
            return database.changesCount
        }
    }

    func afterCommit(_ work: @escaping @Sendable () -> Void) { hooks.append(work) }

    /// Several statements, separated by `;`.
    func executeScript(_ sql: String) throws { try translated { try database.execute(sql: sql) } }

    /// Forgets the hooks collected since there were `count` of them: their savepoint was undone.
    func dropHooks(after count: Int) { hooks.removeSubrange(count...) }

    /// Undoes the open transaction, if the engine has not done so itself.
    func rollback() {
        guard database.isInsideTransaction else { return }
        // A rollback that fails leaves nothing to try: the next transaction on this connection reports it.
        try? database.rollback()
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

    /// Row keys go on behind the largest one by themselves.
    func endFilling(_ tables: [StoreTable]) throws {}

    private func bound(_ arguments: [any SQLArgument]) -> StatementArguments {
        StatementArguments(
            arguments.map { argument -> DatabaseValue in
                switch argument.sqlValue {
                case .null: .null
                case .integer(let value): value.databaseValue
                case .real(let value): value.databaseValue
                case .text(let value): value.databaseValue
                case .blob(let value): Data(value).databaseValue
                }
            })
    }

    private func borrowing<T>(_ sql: String, _ body: (Statement) throws -> T) throws -> T {
        try translated {
            let entry = try statements.borrow(sql, from: database)
            do {
                let result = try body(entry.statement)
                entry.isInUse = false
                return result
            } catch {
                statements.drop(sql)
                throw error
            }
        }
    }

    private func translated<T>(_ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as DatabaseError { throw StoreError.translate(error) }
    }
}

/// Reads the columns where SQLite keeps them.
struct SQLiteRow: SQLRow {
    let row: Row

    func isNull(_ column: Int) -> Bool { row.hasNull(atIndex: column) }
    func integer(_ column: Int) -> Int64 { row.hasNull(atIndex: column) ? 0 : row[column] }
    func text(_ column: Int) -> String { row.hasNull(atIndex: column) ? "" : row[column] }
    func real(_ column: Int) -> Double { row.hasNull(atIndex: column) ? 0 : row[column] }
    func value(_ column: Int) -> SQLValue {
        let value: DatabaseValue = row[column]
        return switch value.storage {
        case .null: .null
        case .int64(let number): .integer(number)
        case .double(let number): .real(number)
        case .string(let text): .text(text)
        case .blob(let data): .blob([UInt8](data))
        }
    }
    func blob(_ column: Int) -> [UInt8] {
        // The closure cannot throw, and a column that is not a blob or text reads as empty.
        (try? row.withUnsafeData(atIndex: column) { $0.map { [UInt8]($0) } ?? [] }) ?? []
    }
}

extension StoreError {
    /// What callers can act on; everything else (a wrong statement) stays the engine's own error.
    static func translate(_ error: DatabaseError) -> any Error {
        switch error.extendedResultCode {
        case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY:
            let text = error.message ?? ""
            return StoreError.duplicate(text.split(separator: ": ", maxSplits: 1).last.map(String.init) ?? text)
        case .SQLITE_CONSTRAINT_FOREIGNKEY:
            return StoreError.stale("a row that this one refers to is gone, or is still referred to")
        default: break
        }
        switch error.resultCode {
        case .SQLITE_FULL:
            return StoreError.unavailable("no space left for the database: free some and try again")
        case .SQLITE_READONLY, .SQLITE_IOERR, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_NOLFS:
            return StoreError.unavailable("the database cannot be written: \(error.message ?? "\(error.resultCode)")")
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return StoreError.corrupt(error.message ?? "the database file is damaged")
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_NOMEM:
            return StoreError.overloaded
        default: return error
        }
    }
}
