/// One line of the event log.
public struct Event: Sendable, Hashable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    public var time: Int64
    public var requestID: String
    /// `compute.server.create` and the like.
    public var action: String
    public var user: String
    /// How the user was called then; empty where nobody is known.
    public var userName: String
    public var project: String
    public var target: String
    /// `success`, or the status and message of the refusal.
    public var outcome: String
    /// The policy rule that refused it, where one did.
    public var rule: String
    public var remoteAddress: String
    /// How often it happened: refusals that repeat are one line.
    public var count: Int

    public init(
        time: Int64, requestID: String, action: String, user: String, userName: String = "", project: String,
        target: String, outcome: String, rule: String = "", remoteAddress: String, count: Int = 1
    ) {
        self.time = time
        self.requestID = requestID
        self.action = action
        self.user = user
        self.userName = userName
        self.project = project
        self.target = target
        self.outcome = outcome
        self.rule = rule
        self.remoteAddress = remoteAddress
        self.count = count
    }

    /// The status of a refusal; `nil` for what succeeded.
    public var refusedWith: Int? { outcome == "success" ? nil : Int(outcome.prefix { $0 != " " }) }
}

/// A line with its place in the log. Places only grow.
public struct StoredEvent: Sendable, Hashable {
    public var number: Int64
    public var event: Event

    public init(number: Int64, event: Event) {
        self.number = number
        self.event = event
    }
}
