import CoordinatorPlatform
import Logging
import ProtocolLink
import ProtocolModel
import ServiceLifecycle

/// The part of the fleet that other slices write through; it needs none of them.
public struct FleetCore: Sendable {
    public let registry: SessionRegistry
    public let plans: any PlanWriter
    public let directory: any NodeDirectory
    public let operations: any OperationDispatcher
    /// Hears of parts of repeated work that fail.
    let failures: PartFailures
    let clock: any WallClock
    let logger: Logger

    public init(clock: any WallClock, logger: Logger) {
        let registry = SessionRegistry(startedAt: clock.now())
        self.registry = registry
        self.clock = clock
        self.logger = logger
        failures = PartFailures(logger: logger)
        plans = PlanService(sessions: registry)
        directory = NodeService(registry: registry, observers: [], logger: logger)
        operations = OperationQueue(registry: registry, clock: clock)
    }
}

/// What the other slices give the fleet.
public struct FleetParticipants: Sendable {
    public var providers: [any PlanSpecProvider]
    public var consumers: [any PlanStatusConsumer]
    public var observers: [any NodeObserver]
    public var operationConsumers: [any OperationConsumer]
    public var images: any ImageBlobSource
    /// `nil`: no node serves clients.
    public var serving: (any ServingAuthority)?
    /// `nil`: nobody looks at consoles.
    public var consoles: (any ConsoleStreams)?

    public init(
        providers: [any PlanSpecProvider], consumers: [any PlanStatusConsumer], observers: [any NodeObserver],
        operationConsumers: [any OperationConsumer], images: any ImageBlobSource
    ) {
        self.providers = providers
        self.consumers = consumers
        self.observers = observers
        self.operationConsumers = operationConsumers
        self.images = images
    }
}

/// Agents: sessions, plans, health, operations.
public struct FleetSlice: Slice {
    public static let migrations = FleetSchema.migrations + HostedLog.migrations
    public let api: ServiceAPI
    /// What the agents' port is served with.
    public let link: any LinkService
    public let figures = FleetFigures()
    private let database: any SQLDatabase
    private let nodes: NodeService
    private let operations: OperationService
    private let registry: SessionRegistry
    private let spreader: PlanSpreader
    private let reminder: SessionReminder
    private let clock: any WallClock
    private let logger: Logger

    public init(
        core: FleetCore, database: any SQLDatabase, authority: CertificateAuthority, participants: FleetParticipants,
        explain: @escaping OperatorAPI.Explain
    ) {
        let plan = PlanService(sessions: core.registry)
        nodes = NodeService(registry: core.registry, observers: participants.observers, logger: core.logger)
        operations = OperationService(
            consumers: participants.operationConsumers, registry: core.registry, failures: core.failures)
        let plans = PlanReader(providers: participants.providers)
        link = FleetSessions(
            database: database, registry: core.registry, nodes: nodes, operations: operations,
            plans: plans,
            intake: StatusIntake(
                consumers: participants.consumers, plan: plan, plans: plans, figures: figures, logger: core.logger),
            images: participants.images, serving: participants.serving, consoles: participants.consoles,
            authority: authority, figures: figures,
            clock: core.clock,
            logger: core.logger)
        api = OperatorAPI(nodes: nodes, authorityHash: authority.hash, explain: explain).service
        self.database = database
        spreader = PlanSpreader(database: database, sessions: core.registry, logger: core.logger)
        registry = core.registry
        reminder = SessionReminder(registry: core.registry)
        clock = core.clock
        logger = core.logger
    }

    public var apis: [ServiceAPI] { [api] }
    public var services: [any Service] {
        [
            PeriodicWork("fleet look", every: .seconds(1), logger: logger) { look() },
            PeriodicWork("fleet tick", every: .seconds(1), logger: logger) { await tick() },
            spreader
        ]
    }

    /// Notes that this coordinator is awake. Called every second, beside ``tick()``, which may have to wait for the
    /// store: what the store is slow in is no pause, agents are heard all the time.
    public func look() { registry.lookOut(at: clock.now()) }

    /// Tells nodes what changed of what they have in common, as ``services`` do whenever there is something.
    /// - Returns: Whether there was anything.
    public func spreadOnce() async -> Bool { await spreader.spread() > 0 }

    /// Judges nodes, ends overdue operations and reminds sessions; an idle cloud only reads. Called every second. What
    /// keeps one of these from being done keeps none of the others.
    public func tick() async {
        let now = clock.now()
        // A signal could get lost with whoever gave it.
        registry.spread.wake()
        await writeHeld()
        await check("nodes") {
            guard try await database.read({ try nodes.needsJudging(at: now, in: $0) }) else { return }
            try await database.write { try nodes.judge(at: now, in: $0) }
        }
        await check("operations") {
            guard try await database.read({ try operations.hasOverdue(at: now, in: $0) }) else { return }
            try await database.write { try operations.expire(at: now, in: $0) }
        }
        await check("sessions") { try await reminder.pass(at: now, database) }
    }

    private func check(_ name: String, _ work: () async throws -> Void) async {
        do { try await work() } catch {
            logger.error("fleet check failed", metadata: ["of": "\(name)", "error": "\(error)"])
        }
    }

    /// How far agents said they hold their plans. It only decides whether one that lost its plan is noticed, so it may
    /// come a second late, and all of them in one write.
    private func writeHeld() async {
        let held = registry.takeHeld()
        guard !held.isEmpty else { return }
        do {
            try await database.write { transaction in
                for (node, revision) in held.sorted(by: { $0.key < $1.key }) {
                    try PlanStore().acknowledge(revision, node: node, in: transaction)
                }
            }
        } catch {
            for (node, revision) in held { registry.keepHeld(revision, by: node) }
        }
    }
}
