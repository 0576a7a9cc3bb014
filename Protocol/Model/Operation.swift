/// Something to be done once, as opposed to a state to be kept.
public struct Operation: Hashable, Sendable {
    public enum Action: Hashable, Sendable {
        /// Asks the guest through ACPI, and resets it when it has not gone down after `graceSeconds`.
        case softReboot(ServerID, graceSeconds: Int)
        case hardReboot(ServerID)
        /// The end of the console log: `lines` at most, `nil` for all that is kept; 1 MiB at most either way.
        case consoleOutput(ServerID, lines: Int?)
        /// The root disk as it is at one moment, flat and compressed as qcow2, becomes the data of an image that waits
        /// for it: sent over the link, and done once the coordinator has it.
        case snapshot(ServerID, image: ImageID)
        /// Through the agent in the guest.
        case changePassword(ServerID, user: String, password: String)
        /// A non-maskable interrupt, on which guests that are set up for it write a crash dump.
        case injectNMI(ServerID)
        /// What the guest takes, as JSON in the shape of Nova's microversion 2.48.
        case diagnostics(ServerID)
        /// What the volume holds at one moment, flat and in this format (`raw` or `qcow2`), becomes the data of an image
        /// that waits for it, as with a snapshot.
        case uploadVolume(VolumeID, image: ImageID, format: ImageSpec.DiskFormat)
        /// Opens the stream of that id, which leads to the guest's console: done once both ends are there.
        case openConsole(ServerID, ConsoleKind, session: ConsoleID)
        /// Of a newer release: to be refused, not to be stumbled over.
        case unknown(UnknownAction)
    }

    /// What can be asked for, by the number it has on the wire.
    public enum Kind: Int, Hashable, Sendable, CaseIterable {
        case softReboot = 3
        case hardReboot = 4
        case consoleOutput = 5
        case snapshot = 6
        case changePassword = 7
        case injectNMI = 8
        case diagnostics = 9
        case uploadVolume = 10
        case openConsole = 11
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
        case .snapshot: .snapshot
        case .changePassword: .changePassword
        case .injectNMI: .injectNMI
        case .diagnostics: .diagnostics
        case .uploadVolume: .uploadVolume
        case .openConsole: .openConsole
        case .unknown: nil
        }
    }

    public var name: String {
        if case .unknown(let action) = self { "operation-\(action.number)" } else { kind?.name ?? "" }
    }

    /// What it is done to: whoever owns the kind of that carries it out, and hears how it ended.
    public var resource: ResourceKey? {
        switch self {
        case .softReboot(let server, _), .hardReboot(let server), .consoleOutput(let server, _),
            .snapshot(let server, _), .changePassword(let server, _, _), .injectNMI(let server),
            .diagnostics(let server), .openConsole(let server, _, _):
            .server(server)
        case .uploadVolume(let volume, _, _): .volume(volume)
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
        case .snapshot: "snapshot"
        case .changePassword: "change-password"
        case .injectNMI: "inject-nmi"
        case .diagnostics: "diagnostics"
        case .uploadVolume: "upload-volume"
        case .openConsole: "open-console"
        }
    }
}

/// What of a guest a console leads to.
public enum ConsoleKind: String, Hashable, Sendable, CaseIterable {
    /// Its screen, keyboard and mouse, as RFB (RFC 6143) without authentication.
    case vnc
    /// Its first serial port, octet for octet.
    case serial
}

/// How an operation ended. Repeated on request: the agent remembers it until the coordinator has acknowledged it.
public struct OperationResult: Hashable, Sendable {
    public enum Outcome: Hashable, Sendable {
        /// `output` is empty but for console output and diagnostics.
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
