import Logging
import ProtocolModel

/// Converges a host to its plan, and says how it stands.
///
/// Each kind of resource has an owner with a loop of its own (``KindRegistry``); the engine gives them the plan, passes
/// operations on, and tells the coordinator what they found.
public actor ReconcileEngine {
    public nonisolated let core: EngineCore
    public nonisolated let registry: KindRegistry
    private let store: any PlanStore
    private var isLoaded = false
    private var lastSent = Duration.seconds(-60)
    /// The session that has heard of all results.
    private var introduced = 0
    /// Operations that run or wait, by the owner that carries them out.
    private var operations: [ResourceKind: Int] = [:]

    /// - Throws: ``KindRegistryError`` when the drivers give a kind two owners.
    public init(
        store: any PlanStore, drivers: HostDrivers, clock: any Clock<Duration>, wallClock: any WallClock,
        bootID: String, settings: EngineSettings = EngineSettings(), figures: EngineFigures = EngineFigures(),
        logger: Logger
    ) throws(KindRegistryError) {
        try self.init(
            store: store, clock: clock, wallClock: wallClock, bootID: bootID, settings: settings, figures: figures,
            logger: logger, owners: drivers.owners)
    }

    /// - Throws: ``KindRegistryError`` when a kind has no owner, or two.
    public init(
        store: any PlanStore, clock: any Clock<Duration>, wallClock: any WallClock,
        bootID: String, settings: EngineSettings = EngineSettings(), figures: EngineFigures = EngineFigures(),
        logger: Logger, owners: (EngineCore) -> [any KindOwner]
    ) throws(KindRegistryError) {
        let core = EngineCore(
            store: store, clock: clock, wallClock: wallClock, bootID: bootID, settings: settings, figures: figures,
            logger: logger)
        self.core = core
        self.store = store
        registry = try KindRegistry(owners(core))
    }

    public nonisolated var figures: EngineFigures { core.figures }

    /// Reads the stored plan; to be called before anything else.
    public func load() async throws {
        guard !isLoaded else { return }
        try await store.interruptRunning()
        let plan = AgentPlan(
            position: try await store.position(), entries: try await store.entries(),
            setAside: try await store.setAside())
        core.begin(plan, settled: try await store.settled(), runningTime: try await store.runningTime())
        isLoaded = true
    }

    /// Converges until the task is cancelled. Guests, networks and DHCP are left as they are then.
    public func run() async throws {
        try await load()
        core.setOwners(registry.owners)
        defer { core.setOwners([]) }
        await withDiscardingTaskGroup { group in
            for owner in registry.owners { group.addTask { await owner.run() } }
            group.addTask { await self.sendLoop() }
            group.addTask { await self.deferralLoop() }
            group.addTask { [core] in
                await timer(core.settings.serverPeriod, core.clock) {
                    await core.forgetGone()
                    await core.releaseDue()
                }
            }
            for owner in registry.owners { owner.wake(.plan) }
            core.postUnowned(registry)
            for await job in core.jobs { group.addTask(operation: job) }
        }
    }

    public var position: PlanPosition { core.plan.position }

    /// What stands in the way of converging at all, for the node's health; empty when nothing does.
    public var problems: [String] {
        get async {
            var problems: [String] = []
            for owner in registry.owners { problems += await owner.problems() }
            return problems + core.keptProblems
        }
    }

    /// All that was last reported.
    public var statuses: [ResourceKey: ResourceStatus] { core.statuses }

    // MARK: Coordinator

    /// Takes an update of the plan in, on disk first.
    /// - Returns: The plan's position then, for the coordinator.
    public func apply(_ update: PlanUpdate) async throws -> PlanPosition {
        let now = core.runningTime
        try await store.apply(update, at: now)
        let changed = core.merge(update, at: now)
        core.postUnowned(registry)
        if update.isSnapshot { core.logKept(since: now) }
        // A first plan is news also where it names nothing: what is on the host may be removed from now on.
        for owner in update.isSnapshot ? registry.owners : registry.affected(by: changed) { owner.wake(.plan) }
        return core.plan.position
    }

    /// An operator on the host wants these gone, which the plan does not name.
    /// - Returns: Whether that is written down; else it is to be said again.
    public func confirmRemoval(of ids: Set<AnyID>) async -> Bool {
        let kept = core.plan.setAside.keys.filter { $0.kind.holdsData && ids.contains($0.id) }
        return await core.release(Set(kept), because: "an operator confirmed it")
    }

    /// A session opened: it hears all results that were not acknowledged, and then all statuses. That order matters:
    /// results speak of the past, statuses of how it is.
    public func connect(_ session: any CoordinatorSession) async {
        let number = core.setSession(session)
        // Something may be waited for that comes over it.
        for owner in registry.owners { owner.wake(.session) }
        for result in (try? await store.unacknowledged()) ?? [] { await session.send(result) }
        guard number == core.session.number else { return }
        core.postUnowned(registry)
        introduced = number
        core.withBoard { $0.requeueAll() }
        core.flush()
    }

    public func disconnect() { _ = core.setSession(nil) }

    /// Sends what is new, one message at a time so that newer statuses never overtake older ones.
    private func sendLoop() async {
        for await _ in core.sending.stream { await sendStatuses() }
    }

    /// What is under way is told once it has been for a while.
    private func deferralLoop() async {
        for await _ in core.deferring.stream {
            guard core.session.current != nil, core.withBoard({ $0.hasDeferred }) else { continue }
            try? await core.clock.sleep(for: core.settings.transientDelay)
            core.withBoard { $0.promoteDeferred() }
            core.sending.wake()
        }
    }

    private var isIntroduced: Bool {
        let (session, number) = core.session
        return session != nil && number == introduced
    }

    private func sendStatuses() async {
        while isIntroduced, core.withBoard({ $0.hasOutgoing }) {
            // One message for many statuses, when there are many; a lone one goes at once.
            let rest = core.settings.sendInterval - (core.uptime - lastSent)
            if rest > .zero { try? await core.clock.sleep(for: rest) }
            // Only now: another session may have come meanwhile, and what it is to hear must not go to the old one.
            let (session, number) = core.session
            guard let session, number == introduced else { break }
            let batch = core.withBoard { $0.takeBatch(256) }
            await session.send(batch)
            lastSent = core.uptime
            core.noteSent(batch, session: number)
        }
    }

    // MARK: Operations

    /// Begins an operation, or repeats the result it had: at most once, and one at a time with other work on the same
    /// resource.
    public func handle(_ operation: Operation) async {
        guard let key = operation.action.resource, let owner = registry.owner(of: key.kind) else {
            let version = core.session.current?.coordinatorVersion ?? ""
            return await answer(operation.id, .unsupported(operation.action.name, coordinator: version))
        }
        let running = operations[key.kind, default: 0]
        guard running < core.settings.operationsAtOnce else {
            return await answer(
                operation.id,
                StatusError(
                    code: .hostFailure, message: "The host is busy with other requests: try again later.",
                    detail: "\(running) operations on a \(key.kind) at once"))
        }
        operations[key.kind, default: 0] += 1
        do {
            switch operation.isRepeatable ? .run : try await store.admit(operation) {
            case .run: core.start { await self.perform(operation, key, owner) }
            case .alreadyRunning: operations[key.kind, default: 1] -= 1
            case .finished(let result):
                operations[key.kind, default: 1] -= 1
                await tell(result, of: key, owner)
            }
        } catch {
            operations[key.kind, default: 1] -= 1
            await answer(operation.id, .cannotWrite(error))
        }
    }

    /// The coordinator has the result: it need not be kept.
    public func acknowledge(_ operation: OperationID) async {
        do {
            try await store.acknowledge(operation)
        } catch {
            core.logger.warning("cannot write the plan store", metadata: ["error": "\(error)"])
        }
    }

    private func perform(_ operation: Operation, _ key: ResourceKey, _ owner: any KindOwner) async {
        let result = await owner.perform(operation, on: key)
        operations[key.kind, default: 1] -= 1
        core.figures.note(result.steps)
        guard !operation.isRepeatable else {
            await core.session.current?.send(result)
            return
        }
        // What was said of the resource before is over, and others may have waited for their turn.
        core.drop(key)
        await owner.lookAgain(at: key)
        do {
            try await store.finish(result)
        } catch {
            core.logger.warning("cannot write the plan store", metadata: ["error": "\(error)"])
        }
        log(operation, key, result)
        await tell(result, of: key, owner)
    }

    /// The result speaks of the past: how the resource is now has to be heard after it, also when that is no news (a guest
    /// that was off, was reset and turned itself off at once).
    private func tell(_ result: OperationResult, of key: ResourceKey, _ owner: any KindOwner) async {
        await core.session.current?.send(result)
        core.drop(key)
        await owner.lookAgain(at: key)
    }

    private func log(_ operation: Operation, _ key: ResourceKey, _ result: OperationResult) {
        var metadata: Logger.Metadata = ["operation": "\(operation.id)", "\(key.kind)": "\(key.id)"]
        switch result.outcome {
        case .done: core.logger.info("\(operation.action.name) is done", metadata: metadata)
        case .expired, .interrupted: core.logger.warning("\(operation.action.name) came too late", metadata: metadata)
        case .failed(let error):
            metadata["error"] = "\(error.message)"
            metadata["detail"] = "\(error.detail)"
            core.logger.error("\(operation.action.name) failed", metadata: metadata)
        }
    }

    private func answer(_ operation: OperationID, _ error: StatusError) async {
        await core.session.current?.send(OperationResult(id: operation, outcome: .failed(error)))
    }
}

extension StatusError {
    static func cannotWrite(_ error: any Error) -> StatusError {
        StatusError(
            code: .hostFailure, message: "The host cannot write down what it does: its operator must look at it.",
            detail: "\(error)")
    }
}

extension Operation {
    /// Reads change nothing, so neither they nor their bulky results go through the ledger.
    var isRepeatable: Bool {
        switch action {
        // A password is not written down, and set twice it is the same.
        // One that comes twice finds nobody waiting.
        case .consoleOutput, .diagnostics, .changePassword, .openConsole: true
        case .softReboot, .hardReboot, .snapshot, .injectNMI, .uploadVolume, .unknown: false
        }
    }
}
