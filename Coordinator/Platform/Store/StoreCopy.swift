import Crypto
import ProtocolSQLite

/// Moves everything from one database to another, which may be of another engine.
public struct StoreCopy: Sendable {
    public struct Moved: Sendable, Equatable {
        public var table: String
        public var rows: Int

        public init(table: String, rows: Int) {
            self.table = table
            self.rows = rows
        }
    }

    public enum Refusal: Error, Sendable, Equatable, CustomStringConvertible {
        case notCurrent
        case notEmpty(table: String)
        case differs(table: String)

        public var description: String {
            switch self {
            case .notCurrent:
                "The schema of the first database is not this release's: start its coordinator once, and copy then."
            case .notEmpty(let table):
                "The second database is not empty, it has rows in '\(table)': copy into a new one."
            case .differs(let table):
                "What '\(table)' holds in the second database is not what it holds in the first: nothing was copied."
            }
        }
    }

    /// Rows that are in memory at once.
    static let batch = 500

    private let migrator: Migrator

    /// - Parameter migrations: All slices' steps, as ``Migrator`` has them.
    public init(_ migrations: [Migration]) { migrator = Migrator(migrations) }

    /// Copies all tables in one transaction of the target, and reads them there again. Nobody else may write to either.
    /// - Parameter now: Microseconds since 1970, for the target's record of its schema.
    /// - Returns: What was moved, by table.
    /// - Throws: ``Refusal``; then the target has no rows.
    public func run(from source: any StoreEngine, to target: any StoreEngine, now: Int64) async throws -> [Moved] {
        guard try await migrator.isCurrent(source) else { throw Refusal.notCurrent }
        try await migrator.migrate(target, now: now)
        // What migrations put into every database is in the way of nobody.
        let new = try EmbeddedDatabase(inMemory: .init())
        defer { try? new.close() }
        try await migrator.migrate(new, now: now)
        return try await target.write { transaction in
            guard let session = transaction as? any WriterSession else {
                throw StoreError.unavailable("this transaction belongs to another engine")
            }
            // Its own record tells of its schema already.
            let tables = try session.tables().filter { $0.name != "schema_migrations" }
            for table in tables
            where try session.count("SELECT COUNT(*) FROM (SELECT 1 FROM \(table.name) LIMIT 1) AS t") > 0 {
                let there = try Self.digest(table) { sql, arguments in
                    try session.query(sql, arguments) { Self.values(table, $0) }
                }
                let made = try Self.digest(table) { sql, arguments in
                    try new.readBlocking { try $0.query(sql, arguments) { row in Self.values(table, row) } }
                }
                guard there == made else { throw Refusal.notEmpty(table: table.name) }
            }
            try session.beginFilling()
            for table in tables { try session.execute("DELETE FROM \(table.name)") }
            let moved = try tables.map { table in
                let rows = try Self.fill(table, of: session) { sql, arguments in
                    try source.readBlocking { try $0.query(sql, arguments) { row in Self.values(table, row) } }
                }
                return Moved(table: table.name, rows: rows)
            }
            try session.endFilling()
            try session.settleNumbers()
            return moved
        }
    }

    /// Puts everything into a new SQLite file, as it is at one moment, while others go on writing.
    /// - Parameter path: There must be no such file.
    /// - Throws: ``Refusal/notCurrent``, where the source is a server's and its schema another release's.
    public func snapshot(_ source: StoreLocation, to path: String, now: Int64) async throws {
        switch source {
        case .file(let file):
            let database = try SQLiteDatabase(path: file, readOnly: true, waiting: 30_000, statementMemory: 0)
            defer { database.close() }
            try database.run("VACUUM INTO '\(path.replacing("'", with: "''"))'")
        case .server(let url):
            let server = try await PostgreSQLDatabase(url: url)
            defer { try? server.close() }
            guard try await migrator.isCurrent(server) else { throw Refusal.notCurrent }
            let made = try EmbeddedDatabase(path: path)
            try await migrator.migrate(made, now: now)
            try made.close()
            try server.readBlocking { try Self.fill(path, from: $0) }
        }
    }

    /// - Parameter path: A database with the schema and no rows but those of migrations.
    private static func fill(_ path: String, from reader: any SQLReader) throws {
        let database = try SQLiteDatabase(path: path, waiting: 0, statementMemory: 1 << 20)
        defer { database.close() }
        let session = SQLiteSession(database: database)
        try session.begin()
        try session.beginFilling()
        let tables = try session.tables().filter { $0.name != "schema_migrations" }
        for table in tables { try session.execute("DELETE FROM \(table.name)") }
        for table in tables {
            _ = try fill(table, of: session) { sql, arguments in
                try reader.query(sql, arguments) { values(table, $0) }
            }
        }
        try session.endFilling()
        try session.commit()
        // One file is the whole of it.
        try session.execute("PRAGMA journal_mode = DELETE")
    }

    /// - Returns: How many rows.
    private static func fill(
        _ table: StoreTable, of session: any WriterSession,
        from source: (_ sql: String, _ arguments: [SQLValue]) throws -> [[SQLValue]]
    ) throws -> Int {
        let marks = table.columns.map { _ in "?" }.joined(separator: ", ")
        let insert = "INSERT INTO \(table.name) (\(table.columns.joined(separator: ", "))) VALUES (\(marks))"
        var wanted = SHA256(), rows = 0
        try page(table, read: source) { row in
            try session.execute(insert, row)
            rows += 1
            wanted.add(row)
        }
        let found = try digest(table) { sql, arguments in
            try session.query(sql, arguments) { Self.values(table, $0) }
        }
        guard found == wanted.finalize() else { throw Refusal.differs(table: table.name) }
        return rows
    }

    /// Of all rows, in the order of their keys.
    private static func digest(
        _ table: StoreTable, read: (_ sql: String, _ arguments: [SQLValue]) throws -> [[SQLValue]]
    ) throws -> SHA256Digest {
        var digest = SHA256()
        try page(table, read: read) { digest.add($0) }
        return digest.finalize()
    }

    private static func values(_ table: StoreTable, _ row: any SQLRow) -> [SQLValue] {
        table.columns.indices.map { row.value($0) }
    }

    /// Reads a table in the order of its key, one batch after the other; all at once without a key.
    private static func page(
        _ table: StoreTable, read: (String, [SQLValue]) throws -> [[SQLValue]], _ take: ([SQLValue]) throws -> Void
    ) throws {
        let columns = table.columns.joined(separator: ", ")
        let order = (table.key.isEmpty ? table.columns : table.key).joined(separator: ", ")
        var last: [SQLValue] = []
        while true {
            let place = last.isEmpty ? "" : "WHERE (\(order)) > (\(last.map { _ in "?" }.joined(separator: ", ")))"
            let limit = table.key.isEmpty ? "" : "LIMIT \(batch)"
            let rows = try read("SELECT \(columns) FROM \(table.name) \(place) ORDER BY \(order) \(limit)", last)
            for row in rows { try take(row) }
            guard let end = rows.last, !table.key.isEmpty, rows.count == batch else { return }
            last = table.key.compactMap { name in table.columns.firstIndex(of: name).map { end[$0] } }
        }
    }
}

extension SHA256 {
    /// Adds a row so that no two different ones look alike: kind, length, content.
    fileprivate mutating func add(_ row: [SQLValue]) {
        for value in row {
            let (kind, bytes): (UInt8, [UInt8]) =
                switch value {
                case .null: (0, [])
                case .integer(let number): (1, withUnsafeBytes(of: number.bigEndian) { Array($0) })
                case .real(let number): (2, withUnsafeBytes(of: number.bitPattern.bigEndian) { Array($0) })
                case .text(let text): (3, Array(text.utf8))
                case .blob(let blob): (4, blob)
                }
            update(data: [kind] + withUnsafeBytes(of: UInt64(bytes.count).bigEndian) { Array($0) } + bytes)
        }
    }
}
