import Logging
import ProtocolModel

/// Converges the resources of one kind, each by itself: observes all of them in one go, asks the driver's planner about
/// each for which something may have changed, and has the steps done that come out, beside the loop, one piece of work
/// at a time for each resource (``KeyedTurns``).
public actor KeyedReconciler<Driver: KeyedDriver>: KindOwner {
    let driver: Driver
    let core: EngineCore
    private nonisolated let turns = KeyedTurns()
    private nonisolated let signal = WakeSignal()
    private var records: [AnyID: KeyedRecord<Driver>] = [:]
    private var workers = 0
    private var problem: String?
    /// Whether the next look after an observation that failed is set already: each pass may fail, and one alarm is enough.
    private var alarmIsSet = false

    public init(_ driver: Driver, _ core: EngineCore) {
        self.driver = driver
        self.core = core
    }

    public nonisolated var kinds: Set<ResourceKind> { [driver.kind] }
    public nonisolated var dependencies: Set<ResourceKind> { driver.dependencies }
    public nonisolated var holders: Set<ResourceKind> { driver.holders }
    public nonisolated func wake(_ cause: WakeCause) { signal.wake() }
    public func problems() -> [String] { problem.map { [$0] } ?? [] }

    public func run() async {
        let (driver, core, signal) = (driver, core, signal)
        await withDiscardingTaskGroup { group in
            group.addTask { await self.loop() }
            group.addTask {
                await timer(driver.limits.period, core.clock) {
                    await driver.tick()
                    signal.wake()
                }
            }
            group.addTask { for await _ in driver.changes() { signal.wake() } }
        }
    }

    private func loop() async {
        for await _ in signal.stream {
            await pass()
            core.flush()
        }
    }

    private func key(_ id: AnyID) -> ResourceKey { ResourceKey(kind: driver.kind, id: id) }

    // MARK: A pass

    private func pass() async {
        let mark = turns.mark()
        let seen: [AnyID: Driver.Sighting]
        do throws(StatusError) {
            seen = try await driver.observe()
            if problem != nil { core.logger.notice("the host can be observed again", metadata: kindOnly) }
            problem = nil
        } catch {
            return note(observationFailure: error)
        }
        let before = core.plan
        let context = await driver.context(for: unquiet(seen, before), seen, before)
        // From here to the writes below nothing suspends: the plan, the observation and the decisions belong together.
        let plan = core.plan
        core.setPresent(Set(seen.keys).union(turns.busy.map(\.id)), of: driver.kind)
        var reached: [(AnyID, SettledState)] = []
        for id in unquiet(seen, plan) {
            // Whoever has it wakes us when done.
            guard turns.isQuiet(key(id), since: mark) else { continue }
            if let state = consider(id, seen[id], plan, context) { reached.append((id, state)) }
        }
        let strays = seen.keys.map(key).filter { plan.entries[$0] == nil && turns.isQuiet($0, since: mark) }
        driver.passEnded(records.filter { $0.value.failure == nil }.mapValues(\.memory))
        // Somebody may be waiting for the news; a state that is not remembered is found again.
        core.flush()
        for (id, state) in reached where turns.isQuiet(key(id), since: mark) && turns.tryTake(key(id)) {
            if await core.settle(key(id), state) { records[id]?.quiet = nil }
            turns.give(key(id))
        }
        await core.keep(strays: strays, of: seen.count)
    }

    /// Resources about which there may be something to decide, in the order in which they were asked for.
    private func unquiet(_ seen: [AnyID: Driver.Sighting], _ plan: AgentPlan) -> [AnyID] {
        var planned: [(generation: Int64, id: AnyID)] = []
        for (key, entry) in plan.entries where key.kind == driver.kind {
            if let record = records[key.id], let quiet = record.quiet, record.generation == entry.generation,
                quiet.sighting == seen[key.id], plan.setAside[key] == nil
            {
                continue
            }
            planned.append((entry.generation, key.id))
        }
        let strays = seen.keys.filter { plan.entries[key($0)] == nil }
        return planned.sorted { $0 < $1 }.map(\.id) + strays.sorted()
    }

    private var kindOnly: Logger.Metadata { ["kind": "\(driver.kind)"] }

    private func note(observationFailure error: StatusError) {
        if problem == nil {
            core.logger.error(
                "cannot observe the host",
                metadata: kindOnly.merging(["error": "\(error.message)", "detail": "\(error.detail)"]) { $1 })
        }
        problem = error.message
        guard !alarmIsSet else { return }
        alarmIsSet = true
        core.after(.seconds(2)) { await self.alarm() }
    }

    private func alarm() {
        alarmIsSet = false
        signal.wake()
    }

    private func lookAgain(after delay: Duration) { core.after(delay) { [signal] in signal.wake() } }

    // MARK: One resource

    /// - Returns: The state to remember as reached, when that is news.
    private func consider(
        _ id: AnyID, _ sighting: Driver.Sighting?, _ plan: AgentPlan, _ context: Driver.Context
    ) -> SettledState? {
        if plan.setAside[key(id)] != nil {
            // Left as it is, and when it is taken back, told anew.
            records[id] = nil
            core.drop(key(id))
            return nil
        }
        guard let entry = plan.entries[key(id)], let wanted = entry.spec else {
            remove(id, sighting, plan)
            return nil
        }
        guard let spec = driver.reads(wanted) ? wanted : wanted.inForce, driver.reads(spec) else {
            // Of a newer release, and never seen in words of this one.
            core.post(ResourceStatus(key: entry.key, generation: entry.generation, phase: .failed))
            return nil
        }
        var record =
            records[id].flatMap { $0.generation == entry.generation ? $0 : nil }
            ?? KeyedRecord(generation: entry.generation, memory: driver.memory(after: records[id]?.memory))
        defer { records[id] = record }
        let details = driver.details(spec, sighting)
        if let failure = record.failure {
            post(id, record, phase: .failed, details: details, error: failure)
            return nil
        }
        guard record.retry.isDue(now: core.uptime) else { return nil }
        let decision = driver.decide(situation(entry, spec, sighting, plan, context), &record.memory)
        record.append(decision.news)
        record.failure = decision.failure
        if !decision.steps.isEmpty {
            guard begin(decision, id, generation: entry.generation, isRemoval: false) else { return nil }
        }
        let phase = record.failure == nil ? decision.phase : .failed
        post(id, record, phase: phase, details: details, error: record.failure ?? decision.error)
        if let state = decision.reached {
            record.performed = []
            let reached = SettledState(
                state: state, generation: entry.generation, bootID: core.bootID, base: decision.base)
            if core.settled(entry.key) != reached { return reached }
        }
        if phase == .ready {
            record.quiet = .init(sighting: sighting)
            // What it took to get here says nothing of what comes later.
            if decision.steps.isEmpty {
                record.performed = []
                record.retry = RetrySchedule()
            }
        }
        return nil
    }

    private func situation(
        _ entry: PlanEntry, _ spec: ResourceSpec, _ sighting: Driver.Sighting?, _ plan: AgentPlan,
        _ context: Driver.Context
    ) -> KeyedSituation<Driver> {
        KeyedSituation(
            key: entry.key, spec: spec, generation: entry.generation, sighting: sighting,
            settled: core.settled(entry.key), bootID: core.bootID, now: core.uptime, plan: plan, context: context,
            readiness: { [core] in core.readiness(of: $0) })
    }

    private func remove(_ id: AnyID, _ sighting: Driver.Sighting?, _ plan: AgentPlan) {
        let entry = plan.entries[key(id)]
        // An agent that lost its plan must not end anything before it has heard what it should have.
        // Nor for any that holds data: it is set aside first, and has an entry when its time is over.
        guard entry != nil || plan.position != .none && !driver.kind.holdsData else { return }
        let generation = entry?.generation ?? -1
        if records[id]?.generation != generation {
            records[id] = KeyedRecord(generation: generation, memory: driver.memory(after: nil))
        }
        guard let record = records[id], record.retry.isDue(now: core.uptime) else { return }
        let last = core.lingering(key(id))
        let decision = driver.decideRemoval(id, sighting, last)
        let isGone = decision.steps.isEmpty && decision.phase == .gone
        if !decision.steps.isEmpty {
            guard begin(decision, id, generation: generation, isRemoval: true) else { return }
        }
        if entry != nil {
            post(
                id, record, phase: isGone ? .gone : .applying, details: .none,
                error: isGone ? nil : record.retry.lastError)
        }
        guard isGone else { return }
        records[id] = nil
        if core.settled(key(id)) != nil { core.start { [core, key = key(id)] in _ = await core.settle(key, nil) } }
    }

    private func post(
        _ id: AnyID, _ record: KeyedRecord<Driver>, phase: ResourceStatus.Phase, details: ResourceStatus.Details,
        error: StatusError?
    ) {
        core.post(
            ResourceStatus(
                key: key(id), generation: record.generation, phase: phase, details: details, error: error,
                steps: record.steps))
    }

    // MARK: Steps, beside the loop

    /// - Returns: `false` when the resource has to wait for another to be finished with.
    private func begin(_ decision: KeyedDecision<Driver>, _ id: AnyID, generation: Int64, isRemoval: Bool) -> Bool {
        guard workers < driver.limits.atOnce, turns.tryTake(key(id)) else { return false }
        workers += 1
        // Whoever holds on to something for its sake must not wait for the next observation to learn of it.
        core.addPresent(id, of: driver.kind)
        let worker = StepWorker(driver: driver, clock: core.clock, wallClock: core.wallClock)
        core.start {
            var outcome = StepWorker<Driver>.Outcome()
            do throws(StatusError) {
                if decision.isFresh { try await self.unsettle(id) }
                if isRemoval { try await self.core.forgetSettled(self.key(id)) }
                outcome = await worker.perform(decision.steps, decision.work)
            } catch {
                outcome.error = error
            }
            await self.finished(
                id, generation: generation, isRemoval: isRemoval, isPersistent: decision.isPersistent, outcome)
        }
        return true
    }

    private func finished(
        _ id: AnyID, generation: Int64, isRemoval: Bool, isPersistent: Bool, _ outcome: StepWorker<Driver>.Outcome
    ) {
        workers -= 1
        core.figures.note(outcome.steps)
        if var record = records[id] {
            if let delay = driver.performed(outcome.performed, &record.memory, now: core.uptime) {
                lookAgain(after: delay)
            }
            if record.generation == generation {
                record.append(outcome.steps)
                let inVain =
                    outcome.error == nil
                    ? record.succeeded(outcome.performed, messageInVain: driver.messageInVain) : nil
                if let error = outcome.error ?? inVain {
                    note(error, of: id, goesOn: isRemoval || isPersistent, in: &record)
                }
            }
            records[id] = record
        }
        turns.give(key(id))
        signal.wake()
        core.flush()
    }

    private func note(_ error: StatusError, of id: AnyID, goesOn: Bool, in record: inout KeyedRecord<Driver>) {
        let delay = record.retry.failed(
            error, isFinal: !goesOn && error.isPermanent, now: core.uptime,
            limits: goesOn ? .persistent : driver.limits.effort)
        guard let delay else {
            record.failure = error
            return
        }
        lookAgain(after: delay)
        guard core.plan.entries[key(id)] != nil else {
            // An orphan has nobody to report to.
            core.logger.warning(
                "cannot remove what is not planned here",
                metadata: ["\(driver.kind)": "\(id)", "error": "\(error.message)", "detail": "\(error.detail)"])
            return
        }
        let known = core.statuses[key(id)]?.details ?? .none
        post(id, record, phase: .applying, details: known, error: error)
    }

    private func unsettle(_ id: AnyID) async throws(StatusError) {
        try await core.unsettle(key(id))
        records[id]?.quiet = nil
    }

    // MARK: Operations

    public nonisolated func perform(_ operation: Operation, on key: ResourceKey) async -> OperationResult {
        let core = core
        let access = KeyedAccess(
            turns: turns, spec: { core.plan.entries[key]?.spec?.inForce }, settled: { core.settled(key) },
            unsettle: { () async throws(StatusError) in try await self.unsettle(key.id) },
            readiness: { core.readiness(of: $0) })
        return await driver.perform(operation, on: key, access)
    }

    public func lookAgain(at key: ResourceKey) {
        records[key.id]?.quiet = nil
        signal.wake()
    }
}
