import Logging
import ProtocolModel
import Synchronization

/// What the owners of all kinds share: the plan, what was reached, what is ready, what was said, and ways to act beside
/// their loops.
///
/// One lock, `state`; nothing is awaited and no foreign code runs while it is held.
public final class EngineCore: Sendable {
    private struct State {
        var plan = AgentPlan()
        var settled: [ResourceKey: SettledState] = [:]
        /// The last specs of entries that ask for removal, as far as known.
        var lingering: [ResourceKey: ResourceSpec] = [:]
        var board = StatusBoard()
        var readiness = ReadinessBoard()
        /// What of each kind is, or may be, on the host; a kind that is not here was not looked at yet.
        var present: [ResourceKind: Set<AnyID>] = [:]
        /// Kinds whose readiness changed, and kinds of which something went, since others were last woken.
        var changed: Set<ResourceKind> = []
        var left: Set<ResourceKind> = []
        var session: (any CoordinatorSession)?
        var sessionNumber = 0
        /// How long agents ran before this engine was made.
        var ranBefore: Int64 = 0
        var ranNoted: Int64 = 0
        /// In uptime.
        var sessionSince = Duration.zero
        var coordinatorVersion = ""
        var owners: [any KindOwner] = []
        /// When the current session was told that something is gone.
        var goneSince: [ResourceKey: Duration] = [:]
    }

    let store: any PlanStore
    public let clock: any Clock<Duration>
    public let wallClock: any WallClock
    public let bootID: String
    public let settings: EngineSettings
    public let logger: Logger
    public let figures: EngineFigures
    private let stopwatch: Stopwatch
    private let state = Mutex(State())
    let sending = WakeSignal()
    let deferring = WakeSignal()
    let jobs: AsyncStream<@Sendable () async -> Void>
    private let jobQueue: AsyncStream<@Sendable () async -> Void>.Continuation

    init(
        store: any PlanStore, clock: any Clock<Duration>, wallClock: any WallClock, bootID: String,
        settings: EngineSettings, figures: EngineFigures, logger: Logger
    ) {
        self.store = store
        self.clock = clock
        self.wallClock = wallClock
        self.bootID = bootID
        self.settings = settings
        self.figures = figures
        self.logger = logger
        stopwatch = Stopwatch(clock)
        // Not bounded here: every producer is (pieces of work and operations at once, one alarm for each resource).
        (jobs, jobQueue) = AsyncStream.makeStream()
    }

    /// Since the engine was made.
    public var uptime: Duration { stopwatch.elapsed }

    /// How long agents have run on this host's plan, in microseconds: goes only forward, whatever becomes of the clock.
    var runningTime: Int64 { state.withLock { $0.ranBefore } + uptime.wholeMicroseconds }

    /// - Returns: The running time, if it is to be written down once more.
    func runningTimeToNote(every period: Duration) -> Int64? {
        let now = runningTime
        return state.withLock { state in
            guard !state.plan.setAside.isEmpty, now - state.ranNoted >= period.wholeMicroseconds else { return nil }
            state.ranNoted = now
            return now
        }
    }

    // MARK: The plan

    public var plan: AgentPlan { state.withLock { $0.plan } }

    /// The last specs of entries that ask for removal, of these kinds.
    func lingering(_ kinds: Set<ResourceKind>) -> [ResourceKey: ResourceSpec] {
        state.withLock { $0.lingering.filter { kinds.contains($0.key.kind) } }
    }

    func hasLingering(_ kinds: Set<ResourceKind>) -> Bool {
        state.withLock { $0.lingering.keys.contains { kinds.contains($0.kind) } }
    }

    func lingering(_ key: ResourceKey) -> ResourceSpec? { state.withLock { $0.lingering[key] } }

    /// Whom changes wake; they hold this core in turn, so they are let go of when the engine ends.
    func setOwners(_ owners: [any KindOwner]) { state.withLock { $0.owners = owners } }

    func begin(_ plan: AgentPlan, settled: [ResourceKey: SettledState], runningTime: Int64) {
        let uptime = uptime.wholeMicroseconds
        state.withLock { state in
            // What was set aside last was so after what was written down.
            state.ranBefore = max(runningTime, plan.setAside.values.map(\.since).max() ?? 0) - uptime
            state.ranNoted = runningTime
            state.plan = plan
            state.settled = settled
        }
        figures.update { $0.planRevision = plan.position.revision }
    }

    /// - Returns: The kinds of the entries that changed.
    func merge(_ update: PlanUpdate, at now: Int64) -> Set<ResourceKind> { alter { $0.merge(update, at: now) } }

    /// Changes the plan; the store has it already.
    func alter(_ change: (inout AgentPlan) -> AgentPlan.Changes) -> Set<ResourceKind> {
        let (changed, revision) = state.withLock { state in
            let changed = change(&state.plan)
            for (key, old) in changed {
                state.lingering[key] =
                    state.plan.entries[key]?.spec == nil ? (old?.spec?.inForce ?? state.lingering[key]) : nil
            }
            return (Set(changed.keys.map(\.kind)), state.plan.position.revision)
        }
        figures.update { $0.planRevision = revision }
        return changed
    }

    // MARK: What is said

    /// Notes how a resource is: for the coordinator, and for whoever waits for it.
    public func post(_ status: ResourceStatus) {
        let (said, before, isNews) = state.withLock { state -> (ResourceStatus, ResourceStatus.Phase?, Bool) in
            if state.readiness.note(status) { state.changed.insert(status.key.kind) }
            if status.phase == .gone { state.lingering[status.key] = nil }
            var said = status
            // What is in force may be as it was wanted before; what is wanted now, nobody here can tell.
            if let entry = state.plan.entries[status.key], entry.generation == status.generation,
                case .opaque(let spec)? = entry.spec, status.key.kind.isKnown
            {
                said.phase = .failed
                said.error = .unreadable(spec, coordinator: state.coordinatorVersion)
            }
            let before = state.board.current[said.key]?.phase
            guard state.board.post(said) else { return (said, before, false) }
            // What was heard of an earlier removal says nothing of this one.
            state.goneSince[said.key] = nil
            return (said, before, true)
        }
        guard isNews else { return }
        figures.moved(from: before, to: said.phase)
        log(said)
    }

    /// An entry of a kind that nobody here owns can be neither made nor removed.
    func postUnowned(_ registry: KindRegistry) {
        let version = state.withLock { $0.coordinatorVersion }
        for (key, entry) in plan.entries where registry.owner(of: key.kind) == nil {
            post(
                ResourceStatus(
                    key: key, generation: entry.generation, phase: .failed,
                    error: .unsupported(key.kind.numbered, coordinator: version)))
        }
        flush()
    }

    /// Nothing was said of it.
    func drop(_ key: ResourceKey) {
        let said = state.withLock { state in
            let said = state.board.current[key]
            state.board.drop(key)
            return said
        }
        if let said { figures.moved(from: said.phase, to: nil) }
    }

    /// Has what is new sent, and whoever waits for it woken; to be called when a pass is over.
    public func flush() {
        let (owners, changed, left) = state.withLock { state in
            defer { (state.changed, state.left) = ([], []) }
            return (state.owners, state.changed, state.left)
        }
        for owner in owners where !owner.dependencies.isDisjoint(with: changed) { owner.wake(.dependency) }
        for owner in owners where !owner.holders.isDisjoint(with: left) { owner.wake(.holder) }
        sending.wake()
        deferring.wake()
    }

    var statuses: [ResourceKey: ResourceStatus] { state.withLock { $0.board.current } }

    func withBoard<Result: Sendable>(_ body: (inout StatusBoard) -> Result) -> Result {
        state.withLock { body(&$0.board) }
    }

    // MARK: Readiness and presence

    /// How far a resource of another kind is.
    public func readiness(of key: ResourceKey) -> Readiness {
        state.withLock { $0.readiness.readiness(of: $0.plan.entries[key]) }
    }

    /// Which resources of these kinds can be opened, though not used yet; in place of what was said before.
    public func setPrepared(_ keys: Set<ResourceKey>, of kinds: Set<ResourceKind>) {
        state.withLock { state in
            if state.readiness.setPrepared(keys, of: kinds) { state.changed.formUnion(kinds) }
        }
    }

    /// Whether something of a resource is, or may be, on the host.
    public func isPresent(_ key: ResourceKey) -> Bool {
        state.withLock { $0.present[key.kind]?.contains(key.id) ?? true }
    }

    /// All of the kind that is, or may be, on the host.
    public func setPresent(_ ids: Set<AnyID>, of kind: ResourceKind) {
        state.withLock { state in
            let before = state.present.updateValue(ids, forKey: kind)
            guard before.map({ !$0.isSubset(of: ids) }) ?? true else { return }
            state.left.insert(kind)
        }
    }

    /// Work on it has just begun: it may be on the host from now on.
    func addPresent(_ id: AnyID, of kind: ResourceKind) {
        state.withLock { _ = $0.present[kind]?.insert(id) }
    }

    // MARK: What was reached

    func settled(_ key: ResourceKey) -> SettledState? { state.withLock { $0.settled[key] } }

    /// Cut off half-way through what follows, the resource must not pass for one that changed by itself.
    func unsettle(_ key: ResourceKey) async throws(StatusError) {
        // What holds of an earlier boot is heeded by nobody.
        guard settled(key)?.bootID == bootID else { return }
        // What it stands on is as it was.
        var over = settled(key)
        over?.bootID = ""
        try await write(over, for: key)
    }

    /// It goes, and with it what it stood on: if it is wanted here again, all of it is made anew.
    func forgetSettled(_ key: ResourceKey) async throws(StatusError) {
        if settled(key) != nil { try await write(nil, for: key) }
    }

    private func write(_ value: SettledState?, for key: ResourceKey) async throws(StatusError) {
        do {
            try await store.settle(key, value)
        } catch {
            throw .cannotWrite(error)
        }
        state.withLock { $0.settled[key] = value }
    }

    /// - Returns: Whether it is on disk; if not, the next pass tries again.
    func settle(_ key: ResourceKey, _ value: SettledState?) async -> Bool {
        do {
            try await store.settle(key, value)
        } catch {
            logger.warning("cannot write the plan store", metadata: ["error": "\(error)"])
            return false
        }
        state.withLock { $0.settled[key] = value }
        return true
    }

    // MARK: The session

    /// The session that is open, and which one it is of all there were.
    var session: (current: (any CoordinatorSession)?, number: Int) {
        state.withLock { ($0.session, $0.sessionNumber) }
    }

    /// How long the session that is open has been.
    var sessionAge: Duration? { state.withLock { $0.session == nil ? nil : uptime - $0.sessionSince } }

    /// - Returns: The session's number.
    func setSession(_ session: (any CoordinatorSession)?) -> Int {
        figures.update { $0.isConnected = session != nil }
        return state.withLock { state in
            state.session = session
            state.sessionNumber += 1
            state.sessionSince = uptime
            state.goneSince = [:]
            if let session { state.coordinatorVersion = session.coordinatorVersion }
            return state.sessionNumber
        }
    }

    /// The session was told these.
    func noteSent(_ batch: [ResourceStatus], session number: Int) {
        state.withLock { state in
            guard number == state.sessionNumber else { return }
            for status in batch where status.phase == .gone && state.board.current[status.key] == status {
                state.goneSince[status.key] = uptime
            }
        }
    }

    /// Forgets what the coordinator surely knows to be gone.
    func forgetGone() async {
        let due = state.withLock { state in
            let due = state.goneSince.filter { uptime - $0.value >= settings.forgetDelay }
            for key in due.keys { state.goneSince[key] = nil }
            return due.keys.compactMap { state.board.current[$0] }.filter { $0.phase == .gone }
        }
        for status in due {
            do {
                try await store.forget(status.key, generation: status.generation)
                let isForgotten = state.withLock { state in
                    state.plan.forget(status.key, generation: status.generation)
                    return state.plan.entries[status.key] == nil
                }
                if isForgotten { drop(status.key) }
            } catch {
                logger.warning("cannot write the plan store", metadata: ["error": "\(error)"])
            }
        }
    }

    // MARK: Work beside the loops

    /// Has the owner of a kind look again.
    func wake(_ kind: ResourceKind, _ cause: WakeCause = .dependency) {
        for owner in state.withLock({ $0.owners }) where owner.kinds.contains(kind) { owner.wake(cause) }
    }

    public func start(_ job: @escaping @Sendable () async -> Void) { jobQueue.yield(job) }

    /// Calls later.
    public func after(_ delay: Duration, _ wake: @escaping @Sendable () async -> Void) {
        let clock = clock
        start {
            try? await clock.sleep(for: delay)
            await wake()
        }
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

/// Wakes at regular times until the task is cancelled.
func timer(_ period: Duration, _ clock: any Clock<Duration>, _ tick: @Sendable () async -> Void) async {
    while !Task.isCancelled {
        guard (try? await clock.sleep(for: period)) != nil else { return }
        await tick()
    }
}
