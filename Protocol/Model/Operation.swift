/// Something to be done once, as opposed to a state to be kept.
public struct Operation: Hashable, Sendable {
    public enum Action: Hashable, Sendable {
        /// Asks the guest through ACPI, and resets it when it has not gone down after `graceSeconds`.
        case softReboot(ServerID, graceSeconds: Int)
        case hardReboot(ServerID)
        /// The end of the console log: `lines` at most, `nil` for all that is kept; 1 MiB at most either way.
        case consoleOutput(ServerID, lines: Int?)
    }

    public var id: OperationID
    /// Microseconds since 1970-01-01T00:00:00Z; an agent that sees it later answers ``OperationResult/Outcome/expired``.
    public var deadline: Int64
    public var action: Action

    public init(id: OperationID, deadline: Int64, action: Action) {
        self.id = id
        self.deadline = deadline
        self.action = action
    }
}

/// How an operation ended. Repeated on request: the agent remembers it until the coordinator has acknowledged it.
public struct OperationResult: Hashable, Sendable {
    public enum Outcome: Hashable, Sendable {
        /// `output` is empty but for console output.
        case done(output: [UInt8])
        case failed(StatusError)
        case expired
        /// The agent crashed in the middle of it and cannot tell how far it came; it is not begun again.
        case interrupted
    }

    public var id: OperationID
    public var outcome: Outcome
    public var steps: [StatusStep]

    public init(id: OperationID, outcome: Outcome, steps: [StatusStep] = []) {
        self.id = id
        self.outcome = outcome
        self.steps = steps
    }
}
