import ProtocolModel

/// Networks, ports and security groups: the host's network is converged as a whole, since rules and DHCP span ports. A
/// loop of its own, so that nothing else waits for it.
actor NetworkOwner: KindOwner {
    nonisolated let kinds = NetworkSelection.kinds
    /// A guest never loses its network before it is gone.
    nonisolated let holders: Set<ResourceKind> = [.server]
    private let driver: any NetworkDriver
    private let core: EngineCore
    private nonisolated let signal = WakeSignal()
    private var retries: [ResourceKey: RetrySchedule] = [:]
    private var failed: Set<ResourceKey> = []
    private var alarmIsSet = false

    init(_ driver: any NetworkDriver, _ core: EngineCore) {
        self.driver = driver
        self.core = core
    }

    nonisolated func wake(_ cause: WakeCause) {
        switch cause {
        case .session, .dependency: return
        // A server went: only what stays for its sake has to be looked at.
        case .holder: guard core.hasLingering(kinds) else { return }
        case .plan: break
        }
        signal.wake()
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.loop() }
            group.addTask { [core] in
                await timer(core.settings.networkPeriod, core.clock) { self.signal.wake() }
            }
        }
    }

    private func loop() async {
        for await _ in signal.stream {
            // An agent that lost its plan must not take guests' networks before it has heard what they should have.
            guard core.plan.position != .none else { continue }
            await pass()
            core.flush()
        }
    }

    private func pass() async {
        let plan = core.plan
        let selection = NetworkSelection(plan: plan, lingering: core.lingering(kinds)) { core.isPresent(.server($0)) }
        let hasNewPorts = selection.wanted.keys.contains { key in
            key.kind == .port && core.readiness(of: key) != .ready(isCurrent: true)
        }
        if hasNewPorts {
            // QEMU takes long to start, and programs that set rules as well: they go on side by side.
            let prepared = await driver.prepare(selection.state)
            core.setPrepared(Set(prepared.map(ResourceKey.port)), of: kinds)
            core.flush()
        }
        absorb(await driver.converge(selection.state), of: selection)
    }

    private func absorb(_ outcome: NetworkOutcome, of selection: NetworkSelection) {
        var nextTry: Duration?
        retries = retries.filter { selection.wanted[$0.key] != nil || selection.removed[$0.key] != nil }
        failed.formIntersection(retries.keys)
        for (key, generation) in selection.wanted {
            guard let error = outcome.failures[key] else {
                forgetFailure(of: key)
                core.post(ResourceStatus(key: key, generation: generation, phase: .ready))
                continue
            }
            nextTry = min(nextTry ?? .seconds(3600), noteFailure(error, of: key))
            let phase: ResourceStatus.Phase = failed.contains(key) ? .failed : .applying
            core.post(ResourceStatus(key: key, generation: generation, phase: phase, error: error))
        }
        let plan = core.plan
        for (key, generation) in selection.removed {
            // It may be wanted again by now.
            guard let entry = plan.entries[key], entry.spec == nil, entry.generation == generation else { continue }
            guard let error = outcome.failures[key] else {
                forgetFailure(of: key)
                core.post(ResourceStatus(key: key, generation: generation, phase: .gone))
                continue
            }
            nextTry = min(nextTry ?? .seconds(3600), noteFailure(error, of: key))
            core.post(ResourceStatus(key: key, generation: generation, phase: .applying, error: error))
        }
        core.setPrepared([], of: kinds)
        if let nextTry { retry(after: nextTry) }
    }

    /// After this many failures in a row a network resource counts as failed; it is tried further all the same, since a
    /// pass costs the same with or without it.
    private static let patience = 5

    private func noteFailure(_ error: StatusError, of key: ResourceKey) -> Duration {
        let delay = retries[key, default: RetrySchedule()].failed(
            error, isFinal: false, now: core.uptime, limits: .persistent)
        let hasFailed = error.isPermanent || (retries[key]?.failures ?? 0) >= Self.patience
        if hasFailed { failed.insert(key) } else { failed.remove(key) }
        return delay ?? RetrySchedule.Limits.persistent.longestDelay
    }

    private func forgetFailure(of key: ResourceKey) {
        retries[key] = nil
        failed.remove(key)
    }

    private func retry(after delay: Duration) {
        guard !alarmIsSet else { return }
        alarmIsSet = true
        core.after(delay) { await self.alarm() }
    }

    private func alarm() {
        alarmIsSet = false
        signal.wake()
    }
}
