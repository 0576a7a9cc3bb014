import Logging
import ProtocolModel

/// Converges a host to its plan, and says how it stands.
///
/// Two loops, one for the network as a whole and one for servers, each woken by what happened and by a timer; a pass
/// observes, plans (``NetworkSelection``, ``ServerPlanner``), acts, and reports. What takes long runs beside the loops,
/// one piece of work at a time for each server (``ServerTurns``).
public actor ReconcileEngine {
    let store: any PlanStore
    let drivers: HostDrivers
    let clock: any Clock<Duration>
    let wallClock: any WallClock
    let bootID: String
    let settings: EngineSettings
    let logger: Logger
    public nonisolated let figures: EngineFigures
    let turns = ServerTurns()
    /// Since this engine was made.
    let uptime: Stopwatch

    var plan = AgentPlan()
    var settled: [ResourceKey: SettledState] = [:]
    /// The last specs of network resources that are to go.
    var lingering: [ResourceKey: ResourceSpec] = [:]
    var board = StatusBoard()
    private var isLoaded = false

    // Servers
    var records: [ServerID: ServerRecord] = [:]
    var images: [String: ImageFetch] = [:]
    var workers = 0
    /// What the last pass saw, once there was one.
    var observed: HostObservation?
    var observationProblem: String?
    var lastSweep: Duration = .zero

    // Network
    var networkIsStale = true
    /// What the last pass found as wanted, by the generations it knew.
    var networkReady: [ResourceKey: Int64] = [:]
    /// Ports that have their taps, though not their rules yet.
    var preparedPorts: Set<PortID> = []
    var networkRetries: [ResourceKey: RetrySchedule] = [:]
    var networkFailures: [ResourceKey: NetworkFailure] = [:]
    var networkAlarmIsSet = false

    // Coordinator
    var session: (any CoordinatorSession)?
    /// As the last session told it.
    private var coordinatorVersion = ""
    var sessionNumber = 0
    private var isSending = false
    private var lastSent = Duration.seconds(-60)
    private var deferralIsTimed = false
    /// When the current session was told that something is gone.
    private var goneSince: [ResourceKey: Duration] = [:]
    var operations = 0

    let serverSignal = WakeSignal()
    let networkSignal = WakeSignal()
    private let jobs: AsyncStream<@Sendable () async -> Void>
    private let jobQueue: AsyncStream<@Sendable () async -> Void>.Continuation

    public init(
        store: any PlanStore, drivers: HostDrivers, clock: any Clock<Duration>, wallClock: any WallClock,
        bootID: String, settings: EngineSettings = EngineSettings(), figures: EngineFigures = EngineFigures(),
        logger: Logger
    ) {
        self.store = store
        self.drivers = drivers
        self.clock = clock
        self.wallClock = wallClock
        self.bootID = bootID
        self.settings = settings
        self.figures = figures
        self.logger = logger
        uptime = Stopwatch(clock)
        // Not bounded here: every producer is (servers at once, operations at once, one alarm for each server).
        (jobs, jobQueue) = AsyncStream.makeStream()
    }

    /// Reads the stored plan; to be called before anything else.
    public func load() async throws {
        guard !isLoaded else { return }
        try await store.interruptRunning()
        plan = AgentPlan(position: try await store.position(), entries: try await store.entries())
        settled = try await store.settled()
        figures.update { $0.planRevision = plan.position.revision }
        isLoaded = true
    }

    /// Converges until the task is cancelled. Guests, networks and DHCP are left as they are then.
    public func run() async throws {
        try await load()
        await withDiscardingTaskGroup { group in
            group.addTask { await self.networkLoop() }
            group.addTask { await self.serverLoop() }
            group.addTask { await self.timer(self.settings.networkPeriod) { await self.networkTick() } }
            group.addTask { await self.timer(self.settings.serverPeriod) { await self.serverTick() } }
            if let hypervisor = drivers.compute?.hypervisor {
                let signal = serverSignal
                group.addTask { for await _ in hypervisor.changes() { signal.wake() } }
            }
            serverSignal.wake()
            networkSignal.wake()
            reportUnknownKinds()
            for await job in jobs { group.addTask(operation: job) }
        }
    }

    public var position: PlanPosition { plan.position }

    /// What stands in the way of converging at all, for the node's health; empty when nothing does.
    public var problems: [String] { observationProblem.map { [$0] } ?? [] }

    /// All that was last reported.
    public var statuses: [ResourceKey: ResourceStatus] { board.current }

    // MARK: Coordinator

    /// Takes an update of the plan in, on disk first.
    /// - Returns: The plan's position then, for the coordinator.
    public func apply(_ update: PlanUpdate) async throws -> PlanPosition {
        try await store.apply(update)
        for (key, old) in plan.merge(update) {
            if NetworkSelection.kinds.contains(key.kind) {
                lingering[key] = plan.entries[key]?.spec == nil ? (old?.spec?.inForce ?? lingering[key]) : nil
            }
            networkIsStale = true
        }
        figures.update { $0.planRevision = plan.position.revision }
        reportUnknownKinds()
        networkSignal.wake()
        serverSignal.wake()
        return plan.position
    }

    /// A session opened: it hears all results that were not acknowledged, and then all statuses. That order matters:
    /// results speak of the past, statuses of how it is.
    public func connect(_ session: any CoordinatorSession) async {
        self.session = session
        coordinatorVersion = session.coordinatorVersion
        sessionNumber += 1
        goneSince = [:]
        figures.update { $0.isConnected = true }
        // Images may be waited for.
        serverSignal.wake()
        let number = sessionNumber
        for result in (try? await store.unacknowledged()) ?? [] { await session.send(result) }
        guard number == sessionNumber else { return }
        board.requeueAll()
        flush()
    }

    public func disconnect() {
        session = nil
        sessionNumber += 1
        goneSince = [:]
        figures.update { $0.isConnected = false }
    }

    func post(_ status: ResourceStatus) {
        var status = status
        // What is in force may be as it was wanted before; what is wanted now, nobody here can tell.
        if case .opaque(let spec)? = plan.entries[status.key]?.spec {
            status.phase = .failed
            status.error = .unreadable(spec, coordinator: coordinatorVersion)
        }
        let before = board.current[status.key]?.phase
        guard board.post(status) else { return }
        // What was heard of an earlier removal says nothing of this one.
        goneSince[status.key] = nil
        figures.moved(from: before, to: status.phase)
        log(status)
    }

    /// Whether something of it is on the host or not, a kind that is not known can be neither made nor removed.
    private func reportUnknownKinds() {
        for (key, entry) in plan.entries where !key.kind.isKnown {
            post(
                ResourceStatus(
                    key: key, generation: entry.generation, phase: .failed,
                    error: .unsupported(key.kind.numbered, coordinator: coordinatorVersion)))
        }
        flush()
    }

    /// Nothing was said of it.
    func drop(_ key: ResourceKey) {
        guard let said = board.current[key] else { return }
        board.drop(key)
        figures.moved(from: said.phase, to: nil)
    }

    /// Sends what is new, in one task at a time so that newer statuses never overtake older ones.
    func flush() {
        guard session != nil else { return }
        if board.hasOutgoing, !isSending {
            isSending = true
            start { await self.sendStatuses() }
        }
        if board.hasDeferred, !deferralIsTimed {
            deferralIsTimed = true
            let (clock, delay) = (clock, settings.transientDelay)
            start {
                try? await clock.sleep(for: delay)
                await self.sendDeferred()
            }
        }
    }

    private func sendDeferred() {
        deferralIsTimed = false
        board.promoteDeferred()
        flush()
    }

    private func sendStatuses() async {
        while session != nil, board.hasOutgoing {
            // One message for many statuses, when there are many; a lone one goes at once.
            let rest = settings.sendInterval - (uptime.elapsed - lastSent)
            if rest > .zero { try? await clock.sleep(for: rest) }
            // Only now: another session may have come meanwhile, and what it is to hear must not go to the old one.
            guard let session else { break }
            let number = sessionNumber
            let batch = board.takeBatch(256)
            await session.send(batch)
            lastSent = uptime.elapsed
            guard number == sessionNumber else { continue }
            for status in batch where status.phase == .gone && board.current[status.key] == status {
                goneSince[status.key] = uptime.elapsed
            }
        }
        isSending = false
    }

    /// Forgets what the coordinator surely knows to be gone.
    private func forgetGone() async {
        let due = goneSince.filter { uptime.elapsed - $0.value >= settings.forgetDelay }
        for key in due.keys {
            goneSince[key] = nil
            guard let status = board.current[key], status.phase == .gone else { continue }
            do {
                try await store.forget(key, generation: status.generation)
                plan.forget(key, generation: status.generation)
                guard plan.entries[key] == nil else { continue }
                drop(key)
            } catch {
                logger.warning("cannot write the plan store", metadata: ["error": "\(error)"])
            }
        }
    }

    // MARK: Work beside the loops

    func start(_ job: @escaping @Sendable () async -> Void) { jobQueue.yield(job) }

    /// Wakes a loop later.
    func wake(_ signal: WakeSignal, after delay: Duration) {
        let clock = clock
        start {
            try? await clock.sleep(for: delay)
            signal.wake()
        }
    }

    private func timer(_ period: Duration, _ tick: @Sendable () async -> Void) async {
        while !Task.isCancelled {
            guard (try? await clock.sleep(for: period)) != nil else { return }
            await tick()
        }
    }

    private func networkTick() {
        networkIsStale = true
        networkSignal.wake()
    }

    private func serverTick() async {
        await forgetGone()
        sweepImagesIfDue()
        serverSignal.wake()
    }

    private func log(_ status: ResourceStatus) {
        var metadata: Logger.Metadata = [
            "\(status.key.kind)": "\(status.key.id)", "generation": "\(status.generation)"
        ]
        if case .server(let details) = status.details { metadata["power"] = "\(details.power)" }
        if let error = status.error {
            metadata["error"] = "\(error.message)"
            metadata["detail"] = "\(error.detail)"
        }
        switch status.phase {
        case .ready, .gone: logger.info("\(status.key.kind) is \(status.phase)", metadata: metadata)
        case .failed: logger.error("\(status.key.kind) failed", metadata: metadata)
        case .applying where status.error != nil:
            logger.warning("\(status.key.kind) is not as wanted, trying again", metadata: metadata)
        case .pending, .applying: logger.debug("\(status.key.kind) is \(status.phase)", metadata: metadata)
        }
    }
}
