import NIOConcurrencyHelpers
import Synchronization

/// A database that the coordinator can open: the embedded one or PostgreSQL.
public protocol StoreEngine: SQLDatabase {
    /// How many commits have become durable, for keying caches of what was read. Taken *before* a read begins it is
    /// safe: what is read is then never older than the number says, and whoever waited for a write sees a new number.
    var commits: Int { get }
    /// How many commits ended without anybody's knowing whether they were done: nobody was woken for what they wrote.
    var doubtfulCommits: Int { get }
    /// Waits for what is under way and closes. Later calls fail.
    func close() throws
    /// ``SQLDatabase/read(_:)`` for who has a thread to block: the copy of one database into another.
    func readBlocking<T: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> T) throws -> T
}

extension StoreEngine {
    public var doubtfulCommits: Int { 0 }

    /// See ``WriterSession/settleNumbers()``.
    func settleNumbers() async throws {
        let _: Bool = try await write { transaction in
            try (transaction as? any WriterSession)?.settleNumbers()
            return true
        }
    }

    /// Runs a migration: its script and then its record, in one transaction.
    func runScript(_ sql: String, then record: @escaping @Sendable (any SQLTransaction) throws -> Void) async throws {
        let _: Bool = try await write { transaction in
            guard let session = transaction as? any WriterSession else {
                throw StoreError.unavailable("this transaction belongs to another engine")
            }
            try session.executeScript(sql)
            try record(session)
            return true
        }
    }
}

/// What ``GroupCommit`` asks of an engine's transaction.
protocol WriterSession: SQLTransaction {
    /// Whether the engine has not given the transaction up by itself.
    var isInTransaction: Bool { get }
    /// Whether it is not known what became of the commit.
    var isInDoubt: Bool { get }
    /// What ``SQLTransaction/afterCommit(_:)`` collected, in order.
    var hooks: [@Sendable () -> Void] { get }
    /// Forgets the hooks collected since there were `count` of them: their savepoint was undone.
    func dropHooks(after count: Int)

    func begin() throws
    func commit() throws
    /// Undoes the open transaction, if the engine has not done so itself.
    func rollback()

    func beginSavepoint(_ name: String) throws
    func releaseSavepoint(_ name: String) throws
    /// Undoes what was done since the savepoint began, and ends it.
    func rollbackToSavepoint(_ name: String) throws

    /// A migration's statements, separated by `;`.
    func executeScript(_ sql: String) throws

    /// What tables there are, by name.
    func tables() throws -> [StoreTable]
    /// From now on to the end of the transaction, rows may come before those they refer to.
    func beginFilling() throws
    /// Whatever a row refers to must be there.
    func endFilling() throws
    /// Numbers of rows go on behind those that were put in with theirs.
    func settleNumbers() throws
}

/// A table as its engine describes it.
struct StoreTable: Sendable, Hashable {
    var name: String
    var columns: [String]
    /// The columns of the primary key, in its order; none for a table without one.
    var key: [String]
}

/// A connection whose closures run one after the other, in order, on a thread that may block.
protocol WriterConnection: Sendable {
    associatedtype Session: WriterSession
    func enqueue(_ body: @escaping @Sendable (Session) -> Void)
}

extension WriterConnection {
    /// Runs the body on the connection's thread and blocks this one until it is done.
    func blocking<T: Sendable>(_ body: @escaping @Sendable (Session) throws -> T) throws -> T {
        let result = ConditionLock<Bool>(value: false)
        let kept = Mutex<Result<T, any Error>?>(nil)
        enqueue { session in
            let value = Result { try body(session) }
            kept.withLock { $0 = value }
            result.lock()
            result.unlock(withValue: true)
        }
        result.lock(whenValue: true)
        result.unlock()
        guard let value = kept.withLock({ $0 }) else { throw StoreError.unavailable("the database was closed") }
        return try value.get()
    }
}
