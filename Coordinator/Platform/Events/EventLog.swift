/// One line of the event log.
public struct Event: Sendable, Hashable {
    /// Microseconds since 1970-01-01T00:00:00Z.
    public var time: Int64
    public var requestID: String
    /// `compute.server.create` and the like.
    public var action: String
    public var user: String
    public var project: String
    public var target: String
    /// `success`, or the status and message of the refusal.
    public var outcome: String
    public var remoteAddress: String

    public init(
        time: Int64, requestID: String, action: String, user: String, project: String, target: String, outcome: String,
        remoteAddress: String
    ) {
        self.time = time
        self.requestID = requestID
        self.action = action
        self.user = user
        self.project = project
        self.target = target
        self.outcome = outcome
        self.remoteAddress = remoteAddress
    }
}
