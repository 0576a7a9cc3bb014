import Dispatch

/// A database on a thread of its own, for SQLite's calls block. What is asked of it is done in order.
///
/// `@unchecked Sendable`: ``database`` is touched only by closures on the serial queue.
public final class SQLiteQueue: @unchecked Sendable {
    private let database: SQLiteDatabase
    private let queue: DispatchQueue

    /// - Parameter database: Nobody else may use it from now on.
    public init(_ database: sending SQLiteDatabase, label: String) {
        self.database = database
        queue = DispatchQueue(label: label)
    }

    public func enqueue(_ body: @escaping @Sendable (SQLiteDatabase) -> Void) {
        queue.async { [self] in body(database) }
    }

    public func read<T: Sendable>(_ body: @escaping @Sendable (SQLiteDatabase) throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            enqueue { database in continuation.resume(with: Result { try body(database) }) }
        }
    }

    /// One transaction: on the disk when it returns, undone when the body throws.
    @discardableResult
    public func write<T: Sendable>(_ body: @escaping @Sendable (SQLiteDatabase) throws -> T) async throws -> T {
        try await read { database in
            try database.run("BEGIN IMMEDIATE")
            do {
                let result = try body(database)
                try database.run("COMMIT")
                return result
            } catch {
                // SQLite undid it itself when the disk is full; a rollback that fails leaves nothing to try.
                if database.isInTransaction { try? database.run("ROLLBACK") }
                throw error
            }
        }
    }

    /// Waits for what was asked before, and closes the file.
    public func close() { queue.sync { database.close() } }
}
