import ProtocolModel

/// What is remembered of one resource between passes, whatever its kind.
struct KeyedRecord<Driver: KeyedDriver>: Sendable {
    var generation: Int64
    /// For the current generation, oldest first; kept to the 32 that a status carries.
    var steps: [StatusStep] = []
    var retry = RetrySchedule()
    /// Given up until the plan changes.
    var failure: StatusError?
    /// What was seen when nothing was left to be done: while it stays so and the plan does, nothing is.
    var quiet: Quiet?
    var memory: Driver.Memory

    struct Quiet: Sendable, Equatable {
        var sighting: Driver.Sighting?
    }

    /// The steps that were last carried out without a failure, and how often in a row: what is done again and again
    /// has no effect.
    var performed: [Driver.Step] = []
    private var repeats = 0

    init(generation: Int64, memory: Driver.Memory) {
        self.generation = generation
        self.memory = memory
    }

    /// Notes steps that went well.
    /// - Returns: What is wrong when they have been in vain too often.
    mutating func succeeded(_ steps: [Driver.Step], messageInVain: String) -> StatusError? {
        repeats = steps == performed ? repeats + 1 : 1
        performed = steps
        guard repeats > Self.patience else { return nil }
        return StatusError(
            code: .hostFailure, message: messageInVain,
            detail: "\(steps.map(\.rawValue).joined(separator: ", ")) went well \(repeats) times, and had no effect")
    }

    private static var patience: Int { 3 }

    mutating func append(_ new: [StatusStep]) {
        steps += new
        if steps.count > 32 { steps.removeFirst(steps.count - 32) }
    }
}
