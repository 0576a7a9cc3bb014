import Collections
import Synchronization

/// The queue in front of the one writer. Whatever waits when the writer becomes free shares one commit, so the price of
/// reaching the disk is paid once for all; each write is a savepoint, so what one throws undoes only its own work.
final class GroupCommit<Connection: WriterConnection>: Sendable {
    private struct Entry: Sendable {
        /// Runs the caller's body and keeps its result.
        let run: @Sendable (any SQLTransaction) throws -> Void
        /// Hands the kept result, or the error, to the caller.
        let finish: @Sendable ((any Error)?) -> Void
    }

    private struct State {
        var waiting: Deque<Entry> = []
        /// Whether a drain is enqueued or running.
        var isDraining = false
    }

    private let connection: Connection
    private let limit: Int
    /// How many writes share a commit at most: bounds how long the first of them waits for the last.
    private let batchLimit: Int
    private let state = Mutex(State())
    /// How many commits have become durable.
    let commits = Atomic<Int>(0)
    /// Of how many it is not known whether they have.
    let doubts = Atomic<Int>(0)

    init(connection: Connection, limit: Int, batchLimit: Int) {
        self.connection = connection
        self.limit = limit
        self.batchLimit = batchLimit
    }

    /// Returns once the transaction is durable and its hooks have run.
    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let kept = Kept<T>()
            let entry = Entry(
                run: { transaction in
                    let value = try body(transaction)
                    kept.value.withLock { $0 = value }
                },
                finish: { error in
                    if let error { return continuation.resume(throwing: error) }
                    guard let value = kept.value.withLock({ $0.take() }) else {
                        return continuation.resume(
                            throwing: StoreError.unavailable("the write was committed without a result"))
                    }
                    continuation.resume(returning: value)
                })
            do { try submit(entry) } catch { continuation.resume(throwing: error) }
        }
    }

    /// - Throws: ``StoreError/overloaded`` when too many wait already.
    private func submit(_ entry: Entry) throws {
        let mustStart = try state.withLock { state in
            guard state.waiting.count < limit else { throw StoreError.overloaded }
            state.waiting.append(entry)
            defer { state.isDraining = true }
            return !state.isDraining
        }
        if mustStart { drain() }
    }

    private func drain() {
        connection.enqueue { [self] session in
            let batch = state.withLock { state in
                let batch = Array(state.waiting.prefix(batchLimit))
                state.waiting.removeFirst(batch.count)
                return batch
            }
            commit(batch, session)
            let isMore = state.withLock { state in
                state.isDraining = !state.waiting.isEmpty
                return state.isDraining
            }
            // Enqueued anew instead of looping, so that readers of an in-memory database get their turn.
            if isMore { drain() }
        }
    }

    private func commit(_ batch: [Entry], _ session: Connection.Session) {
        var errors = [(any Error)?](repeating: nil, count: batch.count)
        do {
            try session.begin()
            if batch.count == 1 {
                // Alone, it has the transaction for itself.
                try batch[0].run(session)
            } else {
                for (index, entry) in batch.enumerated() { errors[index] = try runOne(entry, session) }
            }
            try session.commit()
        } catch {
            session.rollback()
            if session.isInDoubt { doubts.add(1, ordering: .releasing) }
            for index in errors.indices { errors[index] = errors[index] ?? error }
            for (entry, error) in zip(batch, errors) { entry.finish(error) }
            return
        }
        commits.add(1, ordering: .releasing)
        for hook in session.hooks { hook() }
        for (entry, error) in zip(batch, errors) { entry.finish(error) }
    }

    /// - Returns: What the body threw, after its savepoint was undone.
    /// - Throws: What ends the whole commit: the savepoint machinery itself failed, or the engine gave up the
    /// transaction.
    private func runOne(_ entry: Entry, _ session: Connection.Session) throws -> (any Error)? {
        let hooks = session.hooks.count
        try session.beginSavepoint("one_write")
        do {
            try entry.run(session)
            try session.releaseSavepoint("one_write")
        } catch {
            session.dropHooks(after: hooks)
            guard session.isInTransaction else { throw error }
            try session.rollbackToSavepoint("one_write")
            return error
        }
        return nil
    }
}

/// The result of one write between its run and its commit.
private final class Kept<T: Sendable>: Sendable {
    let value = Mutex<T?>(nil)
}
