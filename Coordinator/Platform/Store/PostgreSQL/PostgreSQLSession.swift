/// A connection while one closure uses it: at most one transaction.
///
/// `BEGIN`, savepoints and their ends wait for the next statement and travel with it, so that they cost no round trips of
/// their own. What a connection loses before its first statement of a transaction was answered is done again on a new
/// one: nothing has happened then that anybody saw.
final class PostgreSQLSession: WriterSession {
    private let connection: PostgreSQLServer
    /// What goes with the next statement.
    private var waiting: [String] = []
    /// Whether the server knows of the transaction.
    private var isOpen = false
    /// Once: a statement that takes the server down must not do so for ever.
    private var mayRepeat = true
    /// Whether the transaction is lost as a whole.
    private var isBroken = false
    /// Whether a statement failed since the last savepoint: the server takes nothing but a rollback then.
    private var hasFailed = false
    private(set) var isInDoubt = false
    private(set) var hooks: [@Sendable () -> Void] = []
    /// How long a statement may take, seconds.
    private var patience = PostgreSQLServer.statementSeconds + 10

    init(on connection: PostgreSQLServer) { self.connection = connection }

    // MARK: - Statements

    func query<T>(_ sql: String, _ arguments: [any SQLArgument], _ map: (any SQLRow) throws -> T) throws -> [T] {
        let result = try perform(sql, arguments)
        let types = result.columnTypes
        return try (0..<result.rowCount).map { try map(PostgreSQLRow(result: result, types: types, row: $0)) }
    }

    @discardableResult
    func execute(_ sql: String, _ arguments: [any SQLArgument]) throws -> Int { try perform(sql, arguments).changes }

    func afterCommit(_ work: @escaping @Sendable () -> Void) { hooks.append(work) }

    func executeScript(_ sql: String) throws {
        // An index on a large table takes what it takes.
        waiting.append("SET LOCAL statement_timeout = 0")
        patience = 24 * 3_600
        let statements = PostgreSQLDialect.script(sql)
        for statement in statements { _ = try trip([.command(statement)]) }
        // Rows may have come with their numbers, of which the server's own counting knows nothing.
        if statements.contains(where: { $0.contains("INSERT INTO") }) { try settleNumbers() }
    }

    private func perform(_ sql: String, _ arguments: [any SQLArgument]) throws -> PostgreSQLResult {
        let values = arguments.map(\.sqlValue)
        while true {
            let hadBegun = isOpen
            let statement = try prepared(sql, values)
            let bound = try noting { try PostgreSQLArguments(values, types: statement.types) }
            if let result = try trip([.run(name: statement.name, bound)], canRepeat: true).last { return result }
            // The connection is another one now, which has not prepared it. Only an unopened transaction gets here.
            guard !hadBegun else { throw StoreError.unavailable("the database's answer was cut short") }
        }
    }

    /// The statement as the server knows it. The types of its arguments are the server's guess, from what they are
    /// compared with or put into.
    private func prepared(_ sql: String, _ values: [SQLValue]) throws -> PostgreSQLStatements.Entry {
        if let entry = connection.statements.find(sql, values) { return entry }
        let name = connection.statements.newName()
        let translated = PostgreSQLDialect.statement(sql)
        // Where the server cannot guess, the values tell, and at last what is NULL is said to be text. A savepoint keeps
        // the transaction through a failure.
        let told = values.map(\.postgreSQLType)
        var attempts = values.isEmpty ? [] : [[], told]
        if told.contains(0) { attempts.append(told.map { $0 == 0 ? PostgreSQLType.text : $0 }) }
        let mark = "prepare_one"
        for types in attempts.dropLast() {
            do {
                let known = try prepare(name, translated, types, after: "SAVEPOINT \(mark)")
                waiting.append("RELEASE \(mark)")
                return connection.statements.keep(sql, types.isEmpty ? nil : told, name: name, types: known)
            } catch let failure as PostgreSQLLink.Failure {
                guard failure.error.isAboutTypes else { throw failed(failure) }
                waiting += ["ROLLBACK TO \(mark)", "RELEASE \(mark)"]
            }
        }
        do {
            let known = try prepare(name, translated, attempts.last ?? [], after: nil)
            return connection.statements.keep(sql, values.isEmpty ? nil : told, name: name, types: known)
        } catch let failure as PostgreSQLLink.Failure { throw failed(failure) }
    }

    /// - Returns: The types of the statement's arguments.
    private func prepare(
        _ name: String, _ sql: String, _ types: [UInt32], after command: String?
    ) throws -> [UInt32] {
        let steps: [PostgreSQLLink.Step] = [.prepare(name: name, sql: sql, types: types), .describe(name: name)]
        while true {
            if let command { waiting.append(command) }
            if let known = try rawTrip(steps, canRepeat: true).last?.parameterTypes { return known }
            if let command { waiting.removeAll { $0 == command } }
        }
    }

    private func failed(_ failure: PostgreSQLLink.Failure) -> any Error {
        hasFailed = true
        return failure.error.translated
    }

    /// - Returns: The steps' results; none when the connection was replaced meanwhile (`canRepeat`).
    private func trip(_ steps: [PostgreSQLLink.Step], canRepeat: Bool = false) throws -> [PostgreSQLResult] {
        do { return try rawTrip(steps, canRepeat: canRepeat) } catch let failure as PostgreSQLLink.Failure {
            throw failed(failure)
        }
    }

    private func rawTrip(_ steps: [PostgreSQLLink.Step], canRepeat: Bool = false) throws -> [PostgreSQLResult] {
        guard !isBroken else { throw StoreError.unavailable("the transaction has ended already") }
        let before = waiting.map { PostgreSQLLink.Step.command($0) }
        do {
            let results = try connection.link().roundTrip(before + steps, seconds: patience)
            waiting = []
            isOpen = true
            return Array(results.dropFirst(before.count))
        } catch var failure as PostgreSQLLink.Failure {
            waiting = []
            isOpen = true
            // The transaction itself could not be begun or continued.
            if failure.step < before.count {
                isBroken = true
                throw failure.error.translated
            }
            failure.step -= before.count
            throw failure
        } catch let lost as PostgreSQLConnectionLost {
            connection.drop()
            if canRepeat, mayRepeat, !isOpen {
                mayRepeat = false
                // What was prepared went with the old connection.
                waiting.removeAll { $0.hasPrefix("DEALLOCATE ") }
                try connection.reconnect()
                return []
            }
            isBroken = true
            throw StoreError.unavailable("the connection to the database was lost: \(lost.reason)")
        } catch {
            isBroken = true
            throw error
        }
    }

    private func noting<T>(_ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as PostgreSQLError { throw error.translated }
    }

    // MARK: - Transactions

    /// Runs the body in a view that stays as it is, of what is committed when it first asks. ``endReading()`` ends it.
    func consistently<T>(_ body: (any SQLReader) throws -> T) throws -> T {
        waiting = ["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"] + connection.statements.forgetting()
        do { return try body(self) } catch {
            rollback()
            throw error
        }
    }

    /// The end of a view whose results have been handed out already.
    func endReading() {
        guard isOpen, !isBroken else { return }
        do {
            _ = try connection.link().roundTrip([.command("COMMIT")], seconds: patience)
        } catch { connection.drop() }
    }

    /// Each statement of a writer sees what is committed, so with only one writer at a time it is alone with the data
    /// from its first to its last. The lock makes it the only one, among all coordinators on this database; it is taken
    /// before anything is read, and the server lets go of it when the transaction ends, however it ends.
    func begin() throws {
        waiting = ["BEGIN ISOLATION LEVEL READ COMMITTED"] + connection.statements.forgetting()
        waiting.append("SELECT pg_advisory_xact_lock(\(PostgreSQLServer.writerLock))")
    }

    var isInTransaction: Bool { !isBroken }

    func commit() throws {
        defer { waiting = [] }
        guard !isBroken, !hasFailed else { throw Self.wentOn }
        guard isOpen else { return }
        waiting.append("COMMIT")
        let steps = waiting.map { PostgreSQLLink.Step.command($0) }
        isOpen = false
        do {
            let results = try connection.link().roundTrip(steps, seconds: patience)
            guard results.last?.tag == "COMMIT" else {
                throw StoreError.unavailable("the database has undone the transaction")
            }
        } catch let failure as PostgreSQLLink.Failure {
            // A commit that fails has undone everything.
            throw failure.error.translated
        } catch let lost as PostgreSQLConnectionLost {
            connection.drop()
            isInDoubt = true
            throw StoreError.unavailable(
                "the connection to the database was lost in a commit, and whether it was done is not known: \(lost.reason)"
            )
        }
    }

    func rollback() {
        defer { (waiting, isOpen) = ([], false) }
        guard isOpen, connection.isConnected else { return }
        // A rollback that fails leaves a connection nobody can trust; without it, the server undoes what was begun.
        do { _ = try connection.link().roundTrip([.command("ROLLBACK")], seconds: patience) } catch {
            connection.drop()
        }
    }

    private static let wentOn = StoreError.unavailable("a statement failed, and its transaction went on")

    // MARK: - Savepoints

    func beginSavepoint(_ name: String) throws {
        waiting.append("SAVEPOINT \(name)")
        hasFailed = false
    }

    func releaseSavepoint(_ name: String) throws {
        // A body that goes on after a statement failed: SQLite lets it, but the server has given up the savepoint.
        guard !hasFailed else { throw Self.wentOn }
        if waiting.last == "SAVEPOINT \(name)" { waiting.removeLast() } else { waiting.append("RELEASE \(name)") }
    }

    func rollbackToSavepoint(_ name: String) throws {
        hasFailed = false
        if let index = waiting.lastIndex(of: "SAVEPOINT \(name)") {
            waiting.removeSubrange(index...)
        } else {
            waiting += ["ROLLBACK TO \(name)", "RELEASE \(name)"]
        }
    }

    func dropHooks(after count: Int) { hooks.removeSubrange(count...) }

    // MARK: - Copies

    func tables() throws -> [StoreTable] {
        let columns = try query(
            """
            SELECT c.relname, a.attname, COALESCE(array_position(i.indkey::SMALLINT[], a.attnum), -1)
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
            LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
            WHERE c.relnamespace = current_schema()::TEXT::regnamespace AND c.relkind = 'r'
                AND a.attnum > 0 AND NOT a.attisdropped
            ORDER BY c.relname, a.attnum
            """, []
        ) { (table: $0.text(0), column: $0.text(1), place: $0.int(2)) }
        var tables: [StoreTable] = []
        for (table, column, _) in columns {
            if tables.last?.name != table { tables.append(StoreTable(name: table, columns: [], key: [])) }
            tables[tables.count - 1].columns.append(column)
        }
        for index in tables.indices {
            tables[index].key = columns.filter { $0.table == tables[index].name && $0.place >= 0 }
                .sorted { $0.place < $1.place }.map(\.column)
        }
        return tables
    }

    func beginFilling() throws {
        waiting.append("SET LOCAL statement_timeout = 0")
        patience = 24 * 3_600
        for (table, constraint) in try references() {
            try execute("ALTER TABLE \"\(table)\" ALTER CONSTRAINT \"\(constraint)\" DEFERRABLE", [])
        }
        try execute("SET CONSTRAINTS ALL DEFERRED", [])
    }

    func endFilling() throws {
        try execute("SET CONSTRAINTS ALL IMMEDIATE", [])
        for (table, constraint) in try references() {
            try execute("ALTER TABLE \"\(table)\" ALTER CONSTRAINT \"\(constraint)\" NOT DEFERRABLE", [])
        }
        try execute("ANALYZE", [])
    }

    func settleNumbers() throws {
        for table in try tables() where table.columns.contains("id") {
            let sequence = try first("SELECT pg_get_serial_sequence(?, 'id')", [table.name]) { $0.optionalText(0) }
            guard case .some(.some(let sequence)) = sequence else { continue }
            // Never back: a number that was given out names one row for ever.
            try execute(
                """
                SELECT setval(?::regclass, MAX(id)) FROM "\(table.name)"
                HAVING MAX(id) >= (SELECT last_value FROM \(sequence))
                """, [sequence])
        }
    }

    /// The foreign keys, as table and name.
    private func references() throws -> [(String, String)] {
        try query(
            """
            SELECT c.relname, k.conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
            WHERE k.contype = 'f' AND c.relnamespace = current_schema()::TEXT::regnamespace ORDER BY c.relname, k.conname
            """, []
        ) { ($0.text(0), $0.text(1)) }
    }
}
