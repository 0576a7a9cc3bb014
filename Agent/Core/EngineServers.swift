import ProtocolModel

/// The engine's server loop.
extension ReconcileEngine {
    func serverLoop() async {
        guard let compute = drivers.compute else { return await refuseServers() }
        for await _ in serverSignal.stream {
            await serverPass(compute)
            flush()
        }
    }

    /// A host without the compute role was given servers.
    private func refuseServers() async {
        for await _ in serverSignal.stream {
            for (key, entry) in plan.entries where key.kind == .server {
                let error = StatusError(
                    code: .unsupported, message: "The host does not run servers: choose another host.",
                    detail: "the agent has no hypervisor driver")
                let isGone = entry.spec == nil
                post(
                    ResourceStatus(
                        key: key, generation: entry.generation, phase: isGone ? .gone : .failed,
                        error: isGone ? nil : error))
            }
            flush()
        }
    }

    private func serverPass(_ compute: ComputeDrivers) async {
        let mark = turns.mark()
        let seen: HostObservation
        do throws(StatusError) {
            seen = HostObservation(
                domains: try await compute.hypervisor.observe(), files: try await compute.storage.observe())
            if observationProblem != nil { logger.notice("the host can be observed again") }
            observationProblem = nil
        } catch {
            note(observationFailure: error)
            return
        }
        let cached = await cachedImages(compute, for: unquiet(seen), files: seen.files)
        // From here to the writes below nothing suspends: the plan, the observation and the decisions belong together.
        note(seen)
        var reached: [(ServerID, SettledState)] = []
        for server in unquiet(seen) {
            // Whoever has it wakes us when done.
            guard turns.isQuiet(server, since: mark) else { continue }
            let sight = Sight(
                server: server, domain: seen.domains[server], files: seen.files[server], cachedImages: cached)
            if let state = consider(sight, compute) { reached.append((server, state)) }
        }
        fetchAwaitedImages(compute)
        // Somebody may be waiting for the news; a state that is not remembered is found again.
        flush()
        for (server, state) in reached where turns.isQuiet(server, since: mark) && turns.tryTake(server) {
            await settle(server, state)
            turns.give(server)
        }
    }

    /// Servers about which there may be something to decide, in the order in which they were asked for.
    private func unquiet(_ seen: HostObservation) -> [ServerID] {
        var servers: [(generation: Int64, server: ServerID)] = []
        for (key, entry) in plan.entries where key.kind == .server {
            let server = key.id.cast(to: ServerTag.self)
            if let record = records[server], let quiet = record.quiet, record.generation == entry.generation,
                quiet.domain == seen.domains[server], quiet.files == seen.files[server]
            {
                continue
            }
            servers.append((entry.generation, server))
        }
        var strays: Set<ServerID> = []
        for server in seen.domains.keys where plan.entries[.server(server)] == nil { strays.insert(server) }
        for server in seen.files.keys where plan.entries[.server(server)] == nil { strays.insert(server) }
        return servers.sorted { $0 < $1 }.map(\.server) + strays.sorted()
    }

    /// One server as one pass sees it.
    private struct Sight {
        var server: ServerID
        var domain: DomainObservation?
        var files: ServerFiles?
        var cachedImages: Set<String>
    }

    private func note(observationFailure error: StatusError) {
        if observationProblem == nil {
            logger.error(
                "cannot observe the host", metadata: ["error": "\(error.message)", "detail": "\(error.detail)"])
        }
        observationProblem = error.message
        wake(serverSignal, after: .seconds(2))
    }

    private func note(_ seen: HostObservation) {
        let running = seen.domains.values.count { $0.power == .running }
        figures.update { $0.runningGuests = running }
        let awaited = lingering.values.contains { spec in
            guard case .port(let port) = spec, let server = port.server else { return false }
            return isPresent(server) && !seen.holds(server) && !turns.busy.contains(server)
        }
        observed = seen
        guard awaited else { return }
        networkIsStale = true
        networkSignal.wake()
    }

    /// Whether something of a server is, or may be, on the host.
    func isPresent(_ server: ServerID) -> Bool {
        guard drivers.compute != nil else { return false }
        return observed?.holds(server) ?? true || turns.busy.contains(server)
    }

    /// - Returns: The state to remember as reached, when that is news.
    private func consider(_ sight: Sight, _ compute: ComputeDrivers) -> SettledState? {
        guard let entry = plan.entries[.server(sight.server)], entry.spec != nil else {
            remove(sight, compute)
            return nil
        }
        guard let spec = plan.server(sight.server) else {
            // Of a newer release, and never seen in words of this one.
            post(ResourceStatus(key: entry.key, generation: entry.generation, phase: .failed))
            return nil
        }
        if records[sight.server]?.generation != entry.generation {
            let asked = records[sight.server]?.shutdownAskedAt
            records[sight.server] = ServerRecord(generation: entry.generation)
            records[sight.server]?.shutdownAskedAt = asked
        }
        guard var record = records[sight.server] else { return nil }
        defer { records[sight.server] = record }
        let details = details(of: spec, sight.domain)
        if let failure = record.failure {
            post(status(sight.server, record, phase: .failed, details: details, error: failure))
            return nil
        }
        guard record.retry.isDue(now: uptime.elapsed) else { return nil }
        let (view, configDrive) = view(sight, spec, &record, compute)
        let decision = ServerPlanner.plan(spec, generation: entry.generation, view: view)
        record.awaitedImage = decision.wait == .image ? spec.image.sha512 : nil
        if let awaited = record.awaitedImage, let failure = images[awaited]?.failure { record.failure = failure }
        if !decision.steps.isEmpty {
            let work = ServerWorker.Work(server: sight.server, spec: spec, configDrive: configDrive)
            guard begin(decision, work, generation: entry.generation, compute) else { return nil }
        }
        var error = record.failure
        if case .networkFailed(let failure)? = decision.wait { error = failure }
        let phase = record.failure == nil ? decision.phase : .failed
        post(status(sight.server, record, phase: phase, details: details, error: error))
        let reached = SettledState(power: spec.power, generation: entry.generation, bootID: bootID)
        if decision.isSettled { record.performed = [] }
        if decision.isSettled, settled[.server(sight.server)] != reached { return reached }
        if phase == .ready { record.quiet = .init(domain: sight.domain, files: sight.files) }
        return nil
    }

    private func view(
        _ sight: Sight, _ spec: ServerSpec, _ record: inout ServerRecord, _ compute: ComputeDrivers
    ) -> (ServerPlanner.View, ConfigDriveContent?) {
        let digest = record.definitionDigest ?? compute.hypervisor.digest(of: compute.definition(of: spec))
        record.definitionDigest = digest
        let network = networkReadiness(for: spec)
        var configDrive: ConfigDriveContent?
        if spec.hasConfigDrive, sight.domain?.isActive != true, network != .unknown {
            configDrive = self.configDrive(of: spec)
        }
        if spec.power != .stopped || sight.domain?.isActive != true { record.shutdownAskedAt = nil }
        let view = ServerPlanner.View(
            domain: sight.domain, files: sight.files, settled: settled[.server(sight.server)], bootID: bootID,
            definitionDigest: digest, configDriveDigest: configDrive?.digest,
            hasImage: sight.cachedImages.contains(spec.image.sha512), network: network,
            shutdown: record.shutdownAskedAt.map {
                uptime.elapsed - $0 >= settings.shutdownGrace ? .graceOver : .asked
            } ?? .notAsked)
        return (view, configDrive)
    }

    private func configDrive(of spec: ServerSpec) -> ConfigDriveContent {
        var networks: [NetworkID: NetworkSpec] = [:]
        var ports: [PortID: PortSpec] = [:]
        for interface in spec.interfaces {
            networks[interface.network] = plan.network(interface.network)
            ports[interface.port] = plan.port(interface.port)
        }
        return GuestMetadata(server: spec, networks: networks, ports: ports).configDrive()
    }

    private func remove(_ sight: Sight, _ compute: ComputeDrivers) {
        let entry = plan.entries[.server(sight.server)]
        // An agent that lost its plan must not end guests before it has heard what it should have.
        guard entry != nil || plan.position != .none else { return }
        let generation = entry?.generation ?? -1
        if records[sight.server]?.generation != generation {
            records[sight.server] = ServerRecord(generation: generation)
        }
        guard let record = records[sight.server], record.retry.isDue(now: uptime.elapsed) else { return }
        let decision = ServerPlanner.planRemoval(domain: sight.domain, files: sight.files)
        let isGone = decision.steps.isEmpty
        if !isGone {
            let work = ServerWorker.Work(server: sight.server)
            guard begin(decision, work, generation: generation, compute) else { return }
        }
        if entry != nil {
            post(
                status(
                    sight.server, record, phase: isGone ? .gone : .applying, details: .none,
                    error: isGone ? nil : record.retry.lastError))
        }
        if isGone {
            records[sight.server] = nil
            if settled[.server(sight.server)] != nil { start { await self.settle(sight.server, nil) } }
        }
    }

    private func details(of spec: ServerSpec, _ domain: DomainObservation?) -> ResourceStatus.Details {
        guard let domain else { return .server(ServerDetails(power: .none, domainName: spec.domainName)) }
        let isSaved = domain.hasSavedState && !domain.isActive
        return .server(ServerDetails(power: isSaved ? .suspended : domain.power, domainName: domain.name))
    }

    func status(
        _ server: ServerID, _ record: ServerRecord, phase: ResourceStatus.Phase, details: ResourceStatus.Details,
        error: StatusError?
    ) -> ResourceStatus {
        ResourceStatus(
            key: .server(server), generation: record.generation, phase: phase, details: details, error: error,
            steps: record.steps)
    }

    /// Cut off half-way through what follows, the guest must not pass for one that turned itself off, or that ran before.
    func unsettle(_ server: ServerID) async throws(StatusError) {
        // What holds of an earlier boot is heeded by nobody.
        guard settled[.server(server)]?.bootID == bootID else { return }
        do {
            try await store.settle(.server(server), nil)
        } catch {
            throw .cannotWrite(error)
        }
        settled[.server(server)] = nil
        records[server]?.quiet = nil
    }

    func settle(_ server: ServerID, _ state: SettledState?) async {
        do {
            try await store.settle(.server(server), state)
            settled[.server(server)] = state
            records[server]?.quiet = nil
        } catch {
            // The next pass tries again.
            logger.warning("cannot write the plan store", metadata: ["error": "\(error)"])
        }
    }
}
