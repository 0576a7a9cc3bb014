import ProtocolModel

/// What a pass saw of servers on the host.
struct HostObservation: Sendable {
    var domains: [ServerID: DomainObservation]
    var files: [ServerID: ServerFiles]

    func holds(_ server: ServerID) -> Bool { domains[server] != nil || files[server] != nil }
}

/// What the engine remembers of one server between passes.
struct ServerRecord: Sendable {
    var generation: Int64
    /// For the current generation, oldest first; kept to the 32 that a status carries.
    var steps: [StatusStep] = []
    var retry = RetrySchedule()
    /// Given up until the plan changes.
    var failure: StatusError?
    /// When the guest was asked to go down, in the engine's uptime.
    var shutdownAskedAt: Duration?
    /// The image it waits for.
    var awaitedImage: String?
    /// Digests for this generation: making them means rendering the whole definition.
    var definitionDigest: String?
    /// What was seen when nothing was left to be done: while it stays so and the plan does, nothing is.
    var quiet: Quiet?

    struct Quiet: Sendable, Equatable {
        var domain: DomainObservation?
        var files: ServerFiles?
    }

    /// The steps that were last carried out without a failure, and how often in a row: what is done again and again
    /// has no effect.
    var performed: [ServerStep] = []
    var repeats = 0

    init(generation: Int64) { self.generation = generation }

    /// Notes steps that went well.
    /// - Returns: What is wrong when they have been in vain too often.
    mutating func succeeded(_ steps: [ServerStep]) -> StatusError? {
        repeats = steps == performed ? repeats + 1 : 1
        performed = steps
        guard repeats > Self.patience else { return nil }
        return StatusError(
            code: .hostFailure,
            message: "The server does not stay as it was asked to be: look at its console log, then try again.",
            detail: "\(steps.map(\.rawValue).joined(separator: ", ")) went well \(repeats) times, and had no effect")
    }

    private static let patience = 3

    mutating func append(_ new: [StatusStep]) {
        steps += new
        if steps.count > 32 { steps.removeFirst(steps.count - 32) }
    }
}
