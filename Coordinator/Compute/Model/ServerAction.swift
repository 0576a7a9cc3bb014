import CoordinatorPlacement
import ProtocolModel

/// One thing a user (or the coordinator itself) did with a server, as `os-instance-actions` shows it.
public struct ServerAction: Sendable, Hashable {
    public var id: Int64
    public var server: ServerID
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
public struct ServerEvent: Sendable, Hashable {
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

/// Why a host was chosen, or none.
public struct SchedulingDecision: Sendable, Hashable {
    public var decidedAt: Int64
    public var host: String?
    public var summary: String
    /// Hosts by reason, the suitable ones first.
    public var groups: [PlacementDecision.Group]
}
