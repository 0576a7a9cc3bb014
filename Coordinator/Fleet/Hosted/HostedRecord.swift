import ProtocolModel

/// What somebody is doing with a resource on its host. Each has an owner, a deadline and a way out.
public protocol HostedTask: Sendable, Hashable, RawRepresentable where RawValue == String {
    /// How long the host may take before the watchdog decides, in seconds.
    var allowedSeconds: Int64 { get }
    var purpose: HostedPurpose { get }
}

/// What a task is for: that decides its way out.
public enum HostedPurpose: Sendable, Hashable, CaseIterable {
    /// Being made on its host: when that fails, another host is tried.
    case building
    /// Being changed through the plan: when that fails, it is what it was.
    case changing
    /// An operation is under way, whose own result decides.
    case operating
    /// Being made anew in its place, where what was there before is gone: when that fails, it is in ERROR.
    case remaking
    /// Being removed: the user is rid of it at the latest when the deadline passes.
    case deleting
}

/// All that decides what may happen to a resource next. Pure.
public protocol HostedState: Sendable, Hashable {
    associatedtype Task: HostedTask
    /// What a host sees of the resource beside a status's phase.
    associatedtype Sight: Sendable, Hashable

    var task: Task? { get set }
    /// It is in ERROR already.
    var isFailed: Bool { get }
    /// The state with what the host sees noted while a plan is not carried out yet (or cannot be).
    func seeing(_ sight: Sight?, _ phase: ResourceStatus.Phase) -> Self
    /// What follows from the plan's being carried out.
    func settled(_ sight: Sight?) -> HostedDecision<Self>
    /// What follows from the end of an operation, or from its not ending in time.
    func operationEnded(succeeded: Bool) -> HostedDecision<Self>
    /// What follows once nothing of it is left on its host.
    var gone: HostedDecision<Self> { get }
    /// Its owner asked for its removal, whatever became of that.
    var isLeaving: Bool { get }
    /// Whether its owner sees it until its host has confirmed that nothing of it is left: a host that is down is waited
    /// for, and one that does not get to it in time leaves it in ERROR. Else the owner is rid of it then.
    var staysUntilGone: Bool { get }
    /// In ERROR, nothing under way.
    var failed: Self { get }
    /// Gone for its owner, nothing under way.
    var deleted: Self { get }
    /// Nothing of it is on any host.
    var offHost: Self { get }
}

extension HostedState {
    /// The operation's task is over with it, whatever came of it.
    public func operationEnded(succeeded: Bool) -> HostedDecision<Self> {
        guard task?.purpose == .operating else { return .nothing }
        return succeeded ? .completed(idle) : .reverted(idle)
    }
    public var gone: HostedDecision<Self> { .removed }
    public var offHost: Self { self }
    public var isLeaving: Bool { task?.purpose == .deleting }
    public var staysUntilGone: Bool { false }

    /// The state with its task ended.
    public var idle: Self {
        var state = self
        state.task = nil
        return state
    }
}

/// The row of a resource that a host makes real.
public protocol HostedRecord: Sendable {
    associatedtype State: HostedState

    /// Its name on plans.
    var key: ResourceKey { get }
    var project: ProjectID { get }
    var user: UserID { get }
    var state: State { get set }
    /// The task is given up at this moment, microseconds since 1970.
    var taskDeadline: Int64? { get set }
    var host: HostPlace? { get set }
    /// The generation of its entry on the host's plan; statuses of older ones are history.
    var planGeneration: Int64 { get set }
    var fault: HostedFault? { get set }
    /// The action under way.
    var actionID: Int64? { get set }
    /// The operation under way.
    var operation: OperationID? { get set }
    /// How many hosts were tried.
    var attempts: Int { get set }
    /// Hosts already tried, and why each failed.
    var excluded: [NodeID: String] { get set }
    var deletedAt: Int64? { get set }

    /// Notes that the task came to its end.
    mutating func completed(at now: Int64)
    /// The owner is rid of it.
    mutating func hide(at now: Int64)
}

extension HostedRecord {
    public var isDeleted: Bool { deletedAt != nil }
    public mutating func completed(at now: Int64) {}
    public mutating func hide(at now: Int64) {
        state = state.deleted
        deletedAt = now
    }
}

/// Where a resource lives.
public struct HostPlace: Sendable, Hashable {
    public var node: NodeID
    public var hostname: String
    public var zone: String

    public init(node: NodeID, hostname: String, zone: String) {
        self.node = node
        self.hostname = hostname
        self.zone = zone
    }
}

/// Why a resource is in ERROR, or why its last task came to nothing.
public struct HostedFault: Sendable, Hashable {
    public var code: Int
    /// For the tenant.
    public var message: String
    /// For administrators.
    public var details: String
    public var createdAt: Int64

    public init(code: Int = 500, message: String, details: String, createdAt: Int64) {
        self.code = code
        self.message = message
        self.details = details
        self.createdAt = createdAt
    }
}
