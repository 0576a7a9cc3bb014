import CoordinatorPlatform

/// What was asked of the database.
struct Work: Sendable, Equatable {
    var statements = 0
    /// Rows that came back.
    var rows = 0
}

/// Counts the statements of a transaction and the rows they give. For one transaction's thread.
final class CountedTransaction: SQLTransaction {
    private let base: any SQLTransaction
    private(set) var work = Work()

    init(_ base: any SQLTransaction) { self.base = base }

    func query<T>(_ sql: String, _ arguments: [any SQLArgument], _ map: (any SQLRow) throws -> T) throws -> [T] {
        work.statements += 1
        let rows = try base.query(sql, arguments, map)
        work.rows += rows.count
        return rows
    }

    func execute(_ sql: String, _ arguments: [any SQLArgument]) throws -> Int {
        work.statements += 1
        return try base.execute(sql, arguments)
    }

    func afterCommit(_ work: @escaping @Sendable () -> Void) { base.afterCommit(work) }

    func savepoint<T>(_ body: () throws -> T) throws -> T { try base.savepoint(body) }
}
