import ProtocolModel

/// What is particular to a kind of resource that is converged one by one: a planner, which is pure, and a driver, which
/// observes and acts. ``KeyedReconciler`` does the rest.
public protocol KeyedDriver: Sendable {
    /// What of one resource is to be seen on the host.
    associatedtype Sighting: Sendable, Equatable
    /// What is remembered of one resource from pass to pass.
    associatedtype Memory: Sendable = NoMemory
    /// What has to be found out for a pass, beside the sightings.
    associatedtype Context: Sendable = NoContext
    /// Something done to a resource; what it is called is told in statuses. Idempotent: it can be cut off half-way and
    /// then repeated.
    associatedtype Step: RawRepresentable<String>, Sendable, Equatable
    /// What the steps of one piece of work are done with.
    associatedtype Work: Sendable = ResourceSpec?

    var kind: ResourceKind { get }
    /// As in ``KindOwner/dependencies``.
    var dependencies: Set<ResourceKind> { get }
    /// As in ``KindOwner/holders``.
    var holders: Set<ResourceKind> { get }
    var limits: KeyedLimits { get }
    /// For the tenant, when steps go well again and again and have no effect.
    var messageInVain: String { get }

    /// Whether the driver understands the spec; others are reported as unsupported.
    func reads(_ spec: ResourceSpec) -> Bool
    /// Everything of the kind that is on the host, half-made things too, and nothing that is not ours.
    func observe() async throws(StatusError) -> [AnyID: Sighting]
    /// - Parameter ids: Those that are to be decided on.
    func context(for ids: [AnyID], _ seen: [AnyID: Sighting], _ plan: AgentPlan) async -> Context
    /// Decides what a resource needs next: the same situation always gives the same decision. Awaits nothing.
    func decide(_ situation: KeyedSituation<Self>, _ memory: inout Memory) -> KeyedDecision<Self>
    /// What is left to be done until nothing of the resource is on the host; no steps: nothing is.
    func decideRemoval(_ id: AnyID, _ sighting: Sighting?, _ last: ResourceSpec?) -> KeyedDecision<Self>
    func perform(_ step: Step, _ work: Work) async throws(StatusError)

    /// What is remembered when the plan wants something else of the resource.
    func memory(after old: Memory?) -> Memory
    /// These steps were done.
    /// - Returns: When the resource is to be looked at again, if nothing else causes that.
    func performed(_ steps: [Step], _ memory: inout Memory, now: Duration) -> Duration?
    /// What there is to say of a resource beyond its phase.
    func details(_ spec: ResourceSpec, _ sighting: Sighting?) -> ResourceStatus.Details
    /// A pass is over; these are still to be brought about.
    func passEnded(_ pending: [AnyID: Memory])
    /// Regularly, for housekeeping.
    func tick() async
    /// Something may have changed on the host; bounded, newest wins.
    func changes() -> AsyncStream<Void>
    func perform(_ operation: Operation, on key: ResourceKey, _ access: KeyedAccess) async -> OperationResult
}

public struct NoMemory: Sendable { public init() {} }
public struct NoContext: Sendable { public init() {} }

/// How much is done at once, and how often everything is looked at.
public struct KeyedLimits: Sendable {
    /// Resources that are worked on at once.
    public var atOnce: Int
    /// Between two looks that nothing else caused.
    public var period: Duration
    /// How long and how often a resource is tried before it counts as failed.
    public var effort: RetrySchedule.Limits

    public init(
        atOnce: Int = 8, period: Duration = .seconds(30), effort: RetrySchedule.Limits = .effort
    ) {
        self.atOnce = atOnce
        self.period = period
        self.effort = effort
    }
}

/// One resource as one pass sees it.
public struct KeyedSituation<Driver: KeyedDriver>: Sendable {
    public var key: ResourceKey
    /// The spec in force.
    public var spec: ResourceSpec
    public var generation: Int64
    public var sighting: Driver.Sighting?
    public var settled: SettledState?
    public var bootID: String
    /// In the engine's uptime.
    public var now: Duration
    public var plan: AgentPlan
    public var context: Driver.Context
    /// How far other resources are: see ``EngineCore/readiness(of:)``.
    public var readiness: @Sendable (ResourceKey) -> Readiness
}

/// What comes next for one resource.
public struct KeyedDecision<Driver: KeyedDriver>: Sendable {
    /// As reported when nothing went wrong.
    public var phase: ResourceStatus.Phase
    public var steps: [Driver.Step]
    public var work: Driver.Work
    /// What it waits for has failed.
    public var error: StatusError?
    /// Given up until the plan changes.
    public var failure: StatusError?
    /// Steps that others have done for it.
    public var news: [StatusStep] = []
    /// What was reached, to be remembered as ``SettledState``.
    public var reached: String?
    /// As in ``SettledState/base``.
    public var base = ""
    /// What was reached before is to be forgotten before the steps begin.
    public var isFresh = false
    /// The steps must succeed some time: they are tried again for ever, ever more slowly.
    public var isPersistent = false

    public init(phase: ResourceStatus.Phase, steps: [Driver.Step] = [], work: Driver.Work) {
        self.phase = phase
        self.steps = steps
        self.work = work
    }
}

/// What an operation on a resource may use of the engine.
public struct KeyedAccess: Sendable {
    public let turns: KeyedTurns
    /// What the plan wants of the resource now, `nil` when it is to go.
    public let spec: @Sendable () -> ResourceSpec?
    public let settled: @Sendable () -> SettledState?
    /// To be called before the resource is changed in a way that a crash must not pass for its own doing.
    public let unsettle: @Sendable () async throws(StatusError) -> Void
    public let readiness: @Sendable (ResourceKey) -> Readiness
}

extension KeyedDriver {
    public var dependencies: Set<ResourceKind> { [] }
    public var holders: Set<ResourceKind> { [] }
    public var limits: KeyedLimits { KeyedLimits() }
    public var messageInVain: String { "The \(kind) does not stay as it was asked to be: ask the operator." }

    public func reads(_ spec: ResourceSpec) -> Bool { if case .opaque = spec { false } else { true } }
    public func performed(_ steps: [Step], _ memory: inout Memory, now: Duration) -> Duration? { nil }
    public func details(_ spec: ResourceSpec, _ sighting: Sighting?) -> ResourceStatus.Details { .none }
    public func passEnded(_ pending: [AnyID: Memory]) {}
    public func tick() async {}
    public func changes() -> AsyncStream<Void> { AsyncStream { $0.finish() } }

    public func perform(_ operation: Operation, on key: ResourceKey, _ access: KeyedAccess) async -> OperationResult {
        OperationResult(
            id: operation.id,
            outcome: .failed(
                StatusError(
                    code: .unsupported, message: "The host cannot do this.",
                    detail: "\(operation.action.name) of a \(key.kind)")))
    }
}

extension KeyedDriver where Memory == NoMemory {
    public func memory(after old: NoMemory?) -> NoMemory { NoMemory() }
}

extension KeyedDriver where Context == NoContext {
    public func context(for ids: [AnyID], _ seen: [AnyID: Sighting], _ plan: AgentPlan) async -> NoContext {
        NoContext()
    }
}
