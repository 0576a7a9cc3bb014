import CoordinatorPlatform
import Glibc
import Synchronization

/// What one request cost inside the one writer's transaction, where all other changes wait for it.
struct WriterCost: Sendable, CustomStringConvertible {
    var statements = 0
    /// Of the values that statements were given.
    var bytes = 0
    /// Of the writer's thread, so that a busy machine changes nothing.
    var microseconds: Int64 = 0

    var description: String { "\(statements) statements, \(bytes) bytes, \(microseconds) us" }
}

/// A database that counts what is done in its transactions.
final class CountingDatabase: SQLDatabase {
    /// Counts for the clouds that are made meanwhile.
    @TaskLocal static var counter: Holder?

    /// Where a cloud that is made leaves what counts for it.
    final class Holder: Sendable {
        let database = Mutex<CountingDatabase?>(nil)
        /// - Returns: What was counted since the last call.
        func take() -> WriterCost { database.withLock { $0 }?.take() ?? WriterCost() }
    }

    /// The same database, counted where that is asked for.
    static func counting(_ database: any SQLDatabase) -> any SQLDatabase {
        guard let counter else { return database }
        let counting = CountingDatabase(database)
        counter.database.withLock { $0 = counting }
        return counting
    }

    private let base: any SQLDatabase
    private let cost = Mutex(WriterCost())

    init(_ base: any SQLDatabase) { self.base = base }

    /// - Returns: What was counted since the last call.
    func take() -> WriterCost {
        cost.withLock { cost in
            defer { cost = WriterCost() }
            return cost
        }
    }

    fileprivate func note(_ arguments: [any SQLArgument]) {
        let bytes = arguments.reduce(0) { sum, argument in
            switch argument {
            case let text as String: sum + text.utf8.count
            case let blob as [UInt8]: sum + blob.count
            default: sum + 16
            }
        }
        cost.withLock { cost in
            cost.statements += 1
            cost.bytes += bytes
        }
    }

    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> T) async throws -> T {
        try await base.read(body)
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
        try await base.write { [self] transaction in
            let start = Self.threadTime()
            defer { cost.withLock { $0.microseconds += Self.threadTime() - start } }
            return try body(CountingTransaction(base: transaction, owner: self))
        }
    }

    private static func threadTime() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}

private struct CountingTransaction: SQLTransaction {
    let base: any SQLTransaction
    let owner: CountingDatabase

    func query<T>(_ sql: String, _ arguments: [any SQLArgument], _ map: (any SQLRow) throws -> T) throws -> [T] {
        owner.note(arguments)
        return try base.query(sql, arguments, map)
    }

    func execute(_ sql: String, _ arguments: [any SQLArgument]) throws -> Int {
        owner.note(arguments)
        return try base.execute(sql, arguments)
    }

    func afterCommit(_ work: @escaping @Sendable () -> Void) { base.afterCommit(work) }
    func savepoint<T>(_ body: () throws -> T) throws -> T { try base.savepoint(body) }
}
