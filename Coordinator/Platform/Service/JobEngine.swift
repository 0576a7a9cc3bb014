import Logging
import ProtocolModel
import ServiceLifecycle
import Synchronization

/// Runs durable jobs: each step's end is written down before the next one starts, so after a crash a job goes on where
/// it was, forward or backward. The same step may run twice, never out of order.
public final class JobEngine: Service {
    /// Jobs at a time, of each kind: long ones of one kind do not keep another kind waiting.
    private static let concurrency = 16

    private let database: any SQLDatabase
    private let kinds: [String: JobKind]
    private let clock: any WallClock
    private let logger: Logger
    private let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    /// Jobs that a task of this process drives right now.
    private let driven = Mutex<Set<JobID>>([])

    public init(database: any SQLDatabase, kinds: [JobKind], clock: any WallClock, logger: Logger) {
        self.database = database
        self.kinds = Dictionary(kinds.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.clock = clock
        self.logger = logger
        (wakes, wake) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Puts a job down in the caller's transaction; it starts when that is committed.
    @discardableResult
    public func submit(_ kind: String, input: JSON, at now: Int64, in transaction: any SQLTransaction) throws -> JobID {
        let id = JobID.random()
        try JobStore.insert(id, kind: kind, input: input, at: now, in: transaction)
        transaction.afterCommit { [wake] in wake.yield() }
        return id
    }

    /// Runs what is due until the service group stops it. A step under way is cut off then and repeated after the
    /// start.
    public func run() async throws {
        await reportUnknown()
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { tasks in
                tasks.addTask {
                    // A pass ends when its jobs have: the next one must not wait for a job that takes hours.
                    await withDiscardingTaskGroup { passes in
                        for await _ in self.wakes where !Task.isCancelled { passes.addTask { await self.pass() } }
                    }
                }
                tasks.addTask {
                    // Retries fall due without anybody's call; this also picks up what a crash left.
                    while !Task.isCancelled {
                        self.wake.yield()
                        try? await Task.sleep(for: .seconds(1))
                    }
                    self.wake.finish()
                }
            }
        }
    }

    /// Drives everything that is due as far as it goes.
    public func pass() async {
        do {
            while true {
                let now = clock.now()
                let names = kinds.keys.sorted()
                let due = try await database.read { reader in
                    try names.flatMap { try JobStore.due($0, at: now, limit: Self.concurrency, in: reader) }
                }
                let mine = driven.withLock { driven in due.filter { driven.insert($0.id).inserted } }
                    .filter { isKnown($0) }
                guard !mine.isEmpty, !Task.isCancelled else { return }
                await withTaskGroup(of: Void.self) { group in
                    for row in mine { group.addTask { await self.drive(row) } }
                }
                let isCut = driven.withLock { driven in
                    let cut = mine.contains { driven.contains($0.id) }
                    driven.subtract(mine.map(\.id))
                    return cut
                }
                if isCut { return }
            }
        } catch { logger.error("jobs cannot be read", metadata: ["error": "\(error)"]) }
    }

    /// A job whose kind has fewer steps than it had stays where it is until the release runs again that put it down; it
    /// also stays in ``driven``, so it is told once.
    private func isKnown(_ row: JobStore.Row) -> Bool {
        if let kind = kinds[row.kind], row.progress.step <= kind.steps.count { return true }
        logger.error("job of an unknown kind", metadata: ["job": "\(row.id)", "kind": "\(row.kind)"])
        return false
    }

    /// Jobs of another release's kinds are never read again; this tells of them once.
    private func reportUnknown() async {
        let waiting = (try? await database.read { try JobStore.kinds(in: $0) }) ?? []
        for kind in waiting where kinds[kind] == nil {
            logger.error("jobs of an unknown kind are left alone", metadata: ["kind": "\(kind)"])
        }
    }

    /// Takes one job to its end or to its next wait. What was cut off stays in ``driven`` until the pass is over.
    private func drive(_ row: JobStore.Row) async {
        var row = row
        guard let kind = kinds[row.kind] else { return }
        do {
            while try await advance(&row, kind) {}
            _ = driven.withLock { $0.remove(row.id) }
        } catch is CancellationError {
            // Stopped: the step is repeated after the next start.
        } catch {
            logger.error("job could not be recorded", metadata: ["job": "\(row.id)", "error": "\(error)"])
        }
    }

    /// - Returns: Whether there is something left to do right now.
    /// - Throws: `CancellationError` when the step was cut off; what the store throws.
    private func advance(_ row: inout JobStore.Row, _ kind: JobKind) async throws -> Bool {
        let context = JobContext(
            job: row.id, input: row.input, attempt: row.progress.failures + 1, now: clock.now())
        let step: Int
        let work: @Sendable (JobContext) async throws -> Void
        switch row.progress.next(stepCount: kind.steps.count) {
        case .end(let outcome):
            try await end(row, kind, context, outcome)
            return false
        case .run(let index):
            step = index
            work = kind.steps[index].run
        case .undo(let index):
            step = index
            work = kind.steps[index].undo
        }
        var wait = Duration.zero
        do {
            try await work(context)
            row.progress.succeeded()
        } catch is CancellationError { throw CancellationError() } catch {
            logger.warning(
                "job step failed",
                metadata: [
                    "job": "\(row.id)", "kind": "\(kind.name)", "step": "\(kind.steps[step].name)",
                    "direction": "\(row.progress.direction)", "try": "\(context.attempt)", "error": "\(error)"
                ])
            let failed = row.progress.failed(
                "\(error)", isPermanent: error is PermanentJobFailure, attempts: kind.attempts)
            if let failed { wait = JobProgress.delay(after: failed, backoff: kind.backoff) }
        }
        try await save(&row, wait)
        return wait == .zero
    }

    private func save(_ row: inout JobStore.Row, _ wait: Duration) async throws {
        let now = clock.now()
        let (seconds, attoseconds) = wait.components
        let notBefore = now + seconds * 1_000_000 + attoseconds / 1_000_000_000_000
        // What is stuck is only recorded by its end: until then a restart finds it and ends it.
        var saved = row
        saved.progress.isStuck = false
        try await database.write { [saved] in try JobStore.save(saved, notBefore: notBefore, at: now, in: $0) }
        row.generation += 1
    }

    private func end(_ row: JobStore.Row, _ kind: JobKind, _ context: JobContext, _ outcome: JobOutcome) async throws {
        let now = clock.now()
        try await database.write { transaction in
            try kind.ended(context, outcome, transaction)
            guard case .stuck = outcome else { return try JobStore.remove(row, in: transaction) }
            try JobStore.save(row, notBefore: now, at: now, in: transaction)
        }
        switch outcome {
        case .completed: logger.debug("job completed", metadata: ["job": "\(row.id)", "kind": "\(kind.name)"])
        case .undone(let reason):
            logger.warning("job undone", metadata: ["job": "\(row.id)", "kind": "\(kind.name)", "reason": "\(reason)"])
        case .stuck(let reason):
            logger.error("job stuck", metadata: ["job": "\(row.id)", "kind": "\(kind.name)", "reason": "\(reason)"])
        }
    }
}
