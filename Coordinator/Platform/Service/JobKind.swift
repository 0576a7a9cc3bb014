import ProtocolModel

public enum JobTag {}
public typealias JobID = Identifier<JobTag>

/// One step of a durable job. `run` can be cut off half-way by a crash and then repeated, so it is idempotent; `undo`
/// accepts "never happened" and "half happened", because the engine undoes the failing step, too.
public struct JobStep: Sendable {
    public let name: String
    public let run: @Sendable (JobContext) async throws -> Void
    public let undo: @Sendable (JobContext) async throws -> Void

    public init(
        _ name: String, run: @escaping @Sendable (JobContext) async throws -> Void,
        undo: @escaping @Sendable (JobContext) async throws -> Void
    ) {
        self.name = name
        self.run = run
        self.undo = undo
    }
}

/// What a step gets.
public struct JobContext: Sendable {
    public let job: JobID
    public let input: JSON
    /// 1 for the first try of the step.
    public let attempt: Int
    public let now: Int64
}

/// How a job ended.
public enum JobOutcome: Sendable, Hashable {
    case completed
    /// A step failed for good and everything was undone.
    case undone(reason: String)
    /// Undoing failed for good: what is left needs the operator.
    case stuck(reason: String)
}

/// A kind of work that crosses hosts or takes time: migration, conversion, backup. What one transaction can do needs
/// none.
public struct JobKind: Sendable {
    public let name: String
    public let steps: [JobStep]
    /// How often a step is tried before the job is unwound.
    public let attempts: Int
    /// Between the first and the second try; doubles from there, up to a minute.
    public let backoff: Duration
    /// Runs in the transaction that records the end, so that a resource never waits for a job that is over.
    public let ended: @Sendable (JobContext, JobOutcome, any SQLTransaction) throws -> Void

    public init(
        name: String, steps: [JobStep], attempts: Int = 3, backoff: Duration = .seconds(1),
        ended: @escaping @Sendable (JobContext, JobOutcome, any SQLTransaction) throws -> Void = { _, _, _ in }
    ) {
        self.name = name
        self.steps = steps
        self.attempts = max(1, attempts)
        self.backoff = backoff
        self.ended = ended
    }
}

/// An error after which trying again is useless: the job unwinds at once.
public struct PermanentJobFailure: Error, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
