import ProtocolModel

/// One thing that a user (or the coordinator itself) did with a resource.
public struct HostedAction: Sendable, Hashable {
    public var id: Int64 = 0
    public var resource: ResourceKey
    /// `create`, `stop`, `reboot`, ...
    public var name: String
    public var requestID: String
    public var user: UserID
    public var project: ProjectID
    public var startedAt: Int64
    public var updatedAt: Int64
    /// `Error` when it failed.
    public var message: String?
}

/// A step of an action.
public struct HostedEvent: Sendable, Hashable {
    public var name: String
    /// Empty where no host took part.
    public var host: String
    public var startedAt: Int64
    public var finishedAt: Int64?
    /// `Success`, `Error` or `nil` while it lasts.
    public var result: String?
    /// For the tenant.
    public var details: String?
    /// For administrators.
    public var traceback: String?
    var action: Int64 = 0
    var number: Int64 = 0

    public init(
        name: String, host: String, startedAt: Int64, finishedAt: Int64?, result: String?, details: String? = nil,
        traceback: String? = nil
    ) {
        self.name = name
        self.host = host
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.result = result
        self.details = details
        self.traceback = traceback
    }
}

/// Who asked for an action, and under which request.
public struct HostedOrigin: Sendable, Hashable {
    public var requestID: String
    public var user: UserID
    public var project: ProjectID

    public init(requestID: String, user: UserID, project: ProjectID) {
        self.requestID = requestID
        self.user = user
        self.project = project
    }
}

/// What came with a report: its steps and why something failed.
public struct HostedEvidence: Sendable, Hashable {
    public var steps: [StatusStep]
    /// For the tenant.
    public var message: String
    /// For the operator.
    public var detail: String

    public init(steps: [StatusStep] = [], message: String = "", detail: String = "") {
        self.steps = steps
        self.message = message
        self.detail = detail
    }

    /// The events that it leaves in an action.
    func events(host: String, task: String, at now: Int64) -> [HostedEvent] {
        var events = steps.map { step in
            HostedEvent(
                name: step.name, host: host, startedAt: step.startedAt,
                finishedAt: step.startedAt + step.durationMicroseconds, result: step.error == nil ? "Success" : "Error",
                details: step.error)
        }
        if !message.isEmpty {
            events.append(
                HostedEvent(
                    name: "\(task)_failed", host: host, startedAt: now, finishedAt: now, result: "Error",
                    details: message, traceback: detail))
        }
        return events
    }

    func fault(at now: Int64) -> HostedFault {
        HostedFault(
            message: message.isEmpty ? "The host reported a failure without giving a reason." : message,
            details: detail, createdAt: now)
    }
}
