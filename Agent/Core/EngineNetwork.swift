import ProtocolModel

/// The engine's network loop: the host's network is converged as a whole, since rules and DHCP span ports.
extension ReconcileEngine {
    func networkLoop() async {
        for await _ in networkSignal.stream {
            // An agent that lost its plan must not take guests' networks before it has heard what they should have.
            guard networkIsStale, plan.position != .none else { continue }
            networkIsStale = false
            await networkPass()
            flush()
            serverSignal.wake()
        }
    }

    private func networkPass() async {
        let selection = NetworkSelection(plan: plan, lingering: lingering, isPresent: isPresent)
        guard let driver = drivers.network else {
            absorb(NetworkOutcome(failures: refusals(selection)), of: selection)
            return
        }
        if selection.wanted.contains(where: { $0.key.kind == .port && networkReady[$0.key] != $0.value }) {
            // QEMU takes long to start, and programs that set rules as well: they go on side by side.
            preparedPorts = await driver.prepare(selection.state)
            serverSignal.wake()
        }
        absorb(await driver.converge(selection.state), of: selection)
    }

    /// A host without the network role was given network resources.
    private func refusals(_ selection: NetworkSelection) -> [ResourceKey: StatusError] {
        selection.wanted.mapValues { _ in
            StatusError(
                code: .unsupported, message: "The host does not provide networks: choose another host.",
                detail: "the agent has no network driver")
        }
    }

    private func absorb(_ outcome: NetworkOutcome, of selection: NetworkSelection) {
        var nextTry: Duration?
        networkReady = networkReady.filter { selection.wanted[$0.key] != nil }
        for (key, generation) in selection.wanted {
            if let error = outcome.failures[key] {
                nextTry = min(nextTry ?? .seconds(3600), noteFailure(error, of: key, generation: generation))
                networkReady[key] = nil
                post(ResourceStatus(key: key, generation: generation, phase: phase(of: key), error: error))
            } else {
                networkRetries[key] = nil
                networkFailures[key] = nil
                networkReady[key] = generation
                post(ResourceStatus(key: key, generation: generation, phase: .ready))
            }
        }
        for (key, generation) in selection.removed {
            // It may be wanted again by now.
            guard let entry = plan.entries[key], entry.spec == nil, entry.generation == generation else { continue }
            if let error = outcome.failures[key] {
                nextTry = min(nextTry ?? .seconds(3600), noteFailure(error, of: key, generation: generation))
                post(ResourceStatus(key: key, generation: generation, phase: .applying, error: error))
            } else {
                networkRetries[key] = nil
                networkFailures[key] = nil
                lingering[key] = nil
                post(ResourceStatus(key: key, generation: generation, phase: .gone))
            }
        }
        preparedPorts = []
        if let nextTry { retryNetwork(after: nextTry) }
    }

    /// After this many failures in a row a network resource counts as failed; it is tried further all the same, since a
    /// pass costs the same with or without it.
    private static var patience: Int { 5 }

    private func noteFailure(_ error: StatusError, of key: ResourceKey, generation: Int64) -> Duration {
        let delay = networkRetries[key, default: RetrySchedule()].failed(
            error, isFinal: false, now: uptime.elapsed, limits: .persistent)
        let failures = networkRetries[key]?.failures ?? 0
        let hasFailed = error.isPermanent || failures >= Self.patience
        networkFailures[key] = hasFailed ? NetworkFailure(generation: generation, error: error) : nil
        return delay ?? RetrySchedule.Limits.persistent.longestDelay
    }

    private func phase(of key: ResourceKey) -> ResourceStatus.Phase {
        networkFailures[key] == nil ? .applying : .failed
    }

    private func retryNetwork(after delay: Duration) {
        guard !networkAlarmIsSet else { return }
        networkAlarmIsSet = true
        let clock = clock
        start {
            try? await clock.sleep(for: delay)
            await self.networkAlarm()
        }
    }

    private func networkAlarm() {
        networkAlarmIsSet = false
        networkIsStale = true
        networkSignal.wake()
    }

    /// Whether a guest may be let run: with its network as it shall be, or as it was when it ran before in this boot.
    func mayRun(_ spec: ServerSpec) -> Bool {
        if let before = settled[.server(spec.id)], before.state == ServerSpec.Power.running.rawValue,
            before.bootID == bootID
        {
            return true
        }
        return networkReadiness(for: spec) == .ready
    }

    /// How far the network is for a server: what it needs before it can be started.
    func networkReadiness(for spec: ServerSpec) -> ServerPlanner.NetworkReadiness {
        var isReady = true
        var isPrepared = true
        for interface in spec.interfaces {
            guard let port = plan.port(interface.port), plan.network(interface.network) != nil else { return .unknown }
            let needed =
                [.network(interface.network), .port(interface.port)]
                + port.securityGroups.map(ResourceKey.securityGroup)
            for key in needed {
                // What failed as it was before may do as it is now.
                if let failure = networkFailures[key], failure.generation == plan.entries[key]?.generation {
                    return .failed(failure.error)
                }
                if networkReady[key] == nil { isReady = false }
            }
            // Another server may have had it. Groups change whenever anybody joins them: nobody waits for that.
            let key = ResourceKey.port(interface.port)
            let isConnected = networkReady[key] == plan.entries[key]?.generation
            if !isConnected { isReady = false }
            if !isConnected, !preparedPorts.contains(interface.port) { isPrepared = false }
        }
        return isReady ? .ready : isPrepared ? .prepared : .waiting
    }
}

/// Why a network resource cannot be had, as it is wanted in one generation.
struct NetworkFailure {
    var generation: Int64
    var error: StatusError
}
