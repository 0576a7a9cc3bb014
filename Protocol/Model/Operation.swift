/// Something to be done once, as opposed to a state to be kept.
public struct Operation: Hashable, Sendable {
    public enum Action: Hashable, Sendable {
        /// Asks the guest through ACPI, and resets it when it has not gone down after `graceSeconds`.
        case softReboot(ServerID, graceSeconds: Int)
        case hardReboot(ServerID)
        /// The end of the console log: `lines` at most, `nil` for all that is kept; 1 MiB at most either way.
        case consoleOutput(ServerID, lines: Int?)
        /// Of a newer release: to be refused, not to be stumbled over.
        case unknown(UnknownAction)
    }

    /// What can be asked for, by the number it has on the wire.
    public enum Kind: Int, Hashable, Sendable, CaseIterable {
        case softReboot = 3
        case hardReboot = 4
        case consoleOutput = 5
    }

    /// An action as it came.
    public struct UnknownAction: Hashable, Sendable {
        public var number: Int
        public var bytes: [UInt8]

        public init(number: Int, bytes: [UInt8]) {
            self.number = number
            self.bytes = bytes
        }
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

extension Operation.Action {
    /// `nil` for what this release does not know.
    public var kind: Operation.Kind? {
        switch self {
        case .softReboot: .softReboot
        case .hardReboot: .hardReboot
        case .consoleOutput: .consoleOutput
        case .unknown: nil
        }
    }

    public var name: String {
        if case .unknown(let action) = self { "operation-\(action.number)" } else { kind?.name ?? "" }
    }

    /// What it is done to: whoever owns the kind of that carries it out, and hears how it ended.
    public var resource: ResourceKey? {
        switch self {
        case .softReboot(let server, _), .hardReboot(let server), .consoleOutput(let server, _): .server(server)
        case .unknown: nil
        }
    }
}

extension Operation.Kind {
    public var name: String {
        switch self {
        case .softReboot: "soft-reboot"
        case .hardReboot: "hard-reboot"
        case .consoleOutput: "console-output"
        }
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
