import CoordinatorPlatform
import Logging
import ProtocolLink
import ProtocolModel

/// The part of the fleet that other slices write through; it needs none of them.
public struct FleetCore: Sendable {
    public let registry: SessionRegistry
    public let plans: any PlanWriter
    public let directory: any NodeDirectory
    public let operations: any OperationDispatcher
    let clock: any WallClock
    let logger: Logger

    public init(clock: any WallClock, logger: Logger) {
        let registry = SessionRegistry(startedAt: clock.now())
        self.registry = registry
        self.clock = clock
        self.logger = logger
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
public struct FleetSlice: Sendable {
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
    private let clock: any WallClock
    private let logger: Logger

    public init(
        core: FleetCore, database: any SQLDatabase, authority: CertificateAuthority, participants: FleetParticipants,
        explain: @escaping OperatorAPI.Explain
    ) {
        let plan = PlanService(sessions: core.registry)
        nodes = NodeService(registry: core.registry, observers: participants.observers, logger: core.logger)
        operations = OperationService(consumers: participants.operationConsumers)
        let plans = PlanReader(providers: participants.providers)
        link = FleetSessions(
            database: database, registry: core.registry, nodes: nodes, operations: operations,
            plans: plans,
            intake: StatusIntake(
                consumers: participants.consumers, plan: plan, plans: plans, figures: figures, logger: core.logger),
            images: participants.images, authority: authority, figures: figures, clock: core.clock,
            logger: core.logger)
        api = OperatorAPI(nodes: nodes, authorityHash: authority.hash, explain: explain).service
        self.database = database
        spreader = PlanSpreader(database: database, sessions: core.registry, logger: core.logger)
        registry = core.registry
        clock = core.clock
        logger = core.logger
    }

    /// Notes that this coordinator is awake. Called every second, beside ``tick()``, which may have to wait for the
    /// store: what the store is slow in is no pause, agents are heard all the time.
    public func look() { registry.look(at: clock.now()) }

    /// Tells nodes what they have in common and what changed of it, for as long as the coordinator runs.
    public func spread() async { await spreader.run() }

    /// The same, once, with all that there is.
    /// - Returns: Whether there was anything.
    public func spreadOnce() async -> Bool { await spreader.spread() > 0 }

    /// Judges nodes and ends overdue operations; an idle cloud only reads. Called every second.
    public func tick() async {
        let now = clock.now()
        // A signal could get lost with whoever gave it.
        registry.spread.wake()
        await writeHeld()
        do {
            let due = try await database.read { reader in
                try nodes.needsJudging(at: now, in: reader) || operations.hasOverdue(at: now, in: reader)
            }
            guard due else { return }
            try await database.write { transaction in
                try nodes.judge(at: now, in: transaction)
                try operations.expire(at: now, in: transaction)
            }
        } catch {
            logger.error("fleet check failed", metadata: ["error": "\(error)"])
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
