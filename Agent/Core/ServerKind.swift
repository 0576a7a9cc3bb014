import ProtocolModel

/// Servers: ``ServerPlanner`` decides, the hypervisor and the storage act.
struct ServerKind: KeyedDriver {
    /// What is on the host of one server.
    struct Sighting: Sendable, Equatable {
        var domain: DomainObservation?
        var files: ServerFiles?
    }

    struct Memory: Sendable {
        /// When the guest was asked to go down, in the engine's uptime.
        var shutdownAskedAt: Duration?
        /// The image it waits for.
        var awaitedImage: ImageSpec?
        /// For this generation: making it means rendering the whole definition.
        var definitionDigest: String?
    }

    /// Digests of the images that are in the cache.
    typealias Context = Set<String>
    typealias Step = ServerStep

    struct Work: Sendable {
        var server: ServerID
        /// `nil` for what shall go.
        var spec: ServerSpec?
        var configDrive: ConfigDriveContent?
    }

    let compute: ComputeDrivers
    let core: EngineCore
    let images: ImageDesk

    init(_ compute: ComputeDrivers, _ core: EngineCore) {
        self.compute = compute
        self.core = core
        images = ImageDesk(compute.storage, core)
    }

    var dependencies: Set<ResourceKind> { compute.foundations.kinds.union([.securityGroup, .network, .port]) }

    var kind: ResourceKind { .server }
    var limits: KeyedLimits {
        KeyedLimits(atOnce: core.settings.serversAtOnce, period: core.settings.serverPeriod)
    }
    var messageInVain: String {
        "The server does not stay as it was asked to be: look at its console log, then try again."
    }

    func changes() -> AsyncStream<Void> { compute.hypervisor.changes() }

    // MARK: Observing

    func observe() async throws(StatusError) -> [AnyID: Sighting] {
        let domains = try await compute.hypervisor.observe()
        let files = try await compute.storage.observe()
        let running = domains.values.count { $0.power == .running }
        core.figures.update { $0.runningGuests = running }
        var seen: [AnyID: Sighting] = [:]
        for (server, domain) in domains { seen[server.cast(), default: Sighting()].domain = domain }
        for (server, files) in files { seen[server.cast(), default: Sighting()].files = files }
        return seen
    }

    /// Which of the images that these servers need for a disk are in the cache.
    func context(for ids: [AnyID], _ seen: [AnyID: Sighting], _ plan: AgentPlan) async -> Set<String> {
        var needed: [String: ImageSpec] = [:]
        for id in ids {
            guard let spec = plan.server(id.cast()), let image = spec.image,
                seen[id]?.files?.rootDiskVersion != spec.rootDiskVersion
            else { continue }
            needed[image.sha512] = image
        }
        var here: Set<String> = []
        // One that is just being fetched is told of first, and used then.
        for (sha512, image) in needed where !images.isFetching(image) {
            if await compute.storage.hasImage(image) { here.insert(sha512) }
        }
        return here
    }

    func details(_ spec: ResourceSpec, _ sighting: Sighting?) -> ResourceStatus.Details {
        guard case .server(let spec) = spec else { return .none }
        guard let domain = sighting?.domain else {
            return .server(ServerDetails(power: .none, domainName: spec.domainName))
        }
        let isSaved = domain.hasSavedState && !domain.isActive
        return .server(ServerDetails(power: isSaved ? .suspended : domain.power, domainName: domain.name))
    }

    // MARK: Deciding

    func memory(after old: Memory?) -> Memory { Memory(shutdownAskedAt: old?.shutdownAskedAt) }

    func decide(_ situation: KeyedSituation<Self>, _ memory: inout Memory) -> KeyedDecision<Self> {
        guard case .server(let spec) = situation.spec else {
            return KeyedDecision(phase: .pending, work: Work(server: situation.key.id.cast()))
        }
        let (view, configDrive) = view(situation, spec, &memory)
        let plan = ServerPlanner.plan(spec, generation: situation.generation, view: view)
        var decision = KeyedDecision<Self>(
            phase: plan.phase, steps: plan.steps,
            work: Work(server: spec.id, spec: spec, configDrive: configDrive))
        decision.news = images.takeSteps(for: spec.id)
        memory.awaitedImage = plan.wait == .image ? spec.image : nil
        if let awaited = memory.awaitedImage { decision.failure = images.failure(of: awaited) }
        if case .networkFailed(let failure)? = plan.wait { decision.error = failure }
        if plan.wait == .missingDisk { decision.error = .missingRootDisk(of: spec) }
        if plan.isSettled { decision.reached = spec.power.rawValue }
        decision.base = "\(spec.rootDiskVersion)"
        decision.isFresh = plan.isFresh
        return decision
    }

    private func view(
        _ situation: KeyedSituation<Self>, _ spec: ServerSpec, _ memory: inout Memory
    ) -> (ServerPlanner.View, ConfigDriveContent?) {
        let domain = situation.sighting?.domain
        let digest = memory.definitionDigest ?? compute.hypervisor.digest(of: compute.definition(of: spec))
        memory.definitionDigest = digest
        let network = networkReadiness(for: spec, situation.plan, situation.readiness)
        var configDrive: ConfigDriveContent?
        if spec.hasConfigDrive, domain?.isActive != true, network != .unknown {
            configDrive = Self.configDrive(of: spec, situation.plan)
        }
        if spec.power != .stopped || domain?.isActive != true { memory.shutdownAskedAt = nil }
        let view = ServerPlanner.View(
            domain: domain, files: situation.sighting?.files, settled: situation.settled, bootID: situation.bootID,
            definitionDigest: digest, configDriveDigest: configDrive?.digest,
            hasImage: spec.image.map { situation.context.contains($0.sha512) } ?? true, network: network,
            shutdown: memory.shutdownAskedAt.map {
                situation.now - $0 >= core.settings.shutdownGrace ? .graceOver : .asked
            } ?? .notAsked)
        return (view, configDrive)
    }

    private static func configDrive(of spec: ServerSpec, _ plan: AgentPlan) -> ConfigDriveContent {
        var networks: [NetworkID: NetworkSpec] = [:]
        var ports: [PortID: PortSpec] = [:]
        var groupNames: [SecurityGroupID: String] = [:]
        for interface in spec.interfaces {
            networks[interface.network] = plan.network(interface.network)
            ports[interface.port] = plan.port(interface.port)
            for group in ports[interface.port]?.securityGroups ?? [] {
                groupNames[group] = plan.securityGroup(group)?.name
            }
        }
        return GuestMetadata(server: spec, networks: networks, ports: ports, groupNames: groupNames).configDrive()
    }

    /// How far what a server stands on is: what it needs before it can be started.
    func networkReadiness(
        for spec: ServerSpec, _ plan: AgentPlan, _ readiness: (ResourceKey) -> Readiness
    ) -> ServerPlanner.NetworkReadiness {
        var isReady = true
        var isPrepared = true
        for interface in spec.interfaces {
            guard let port = plan.port(interface.port), plan.network(interface.network) != nil else { return .unknown }
            for key in [.network(interface.network)] + port.securityGroups.map(ResourceKey.securityGroup) {
                switch readiness(key) {
                case .failed(let error): return .failed(error)
                case .ready: break
                case .unknown, .waiting, .prepared: isReady = false
                }
            }
            // Another server may have had it. Groups change whenever anybody joins them: nobody waits for that.
            switch readiness(.port(interface.port)) {
            case .failed(let error): return .failed(error)
            case .ready(isCurrent: true): break
            case .prepared: isReady = false
            case .ready(isCurrent: false), .unknown, .waiting: (isReady, isPrepared) = (false, false)
            }
        }
        for key in compute.foundations.keys(spec) {
            switch readiness(key) {
            case .failed(let error): return .failed(error)
            case .ready(isCurrent: true): break
            case .ready(isCurrent: false), .unknown, .waiting, .prepared: (isReady, isPrepared) = (false, false)
            }
        }
        return isReady ? .ready : isPrepared ? .prepared : .waiting
    }

    func decideRemoval(_ id: AnyID, _ sighting: Sighting?, _ last: ResourceSpec?) -> KeyedDecision<Self> {
        let plan = ServerPlanner.planRemoval(domain: sighting?.domain, files: sighting?.files)
        return KeyedDecision(
            phase: plan.steps.isEmpty ? .gone : .applying, steps: plan.steps, work: Work(server: id.cast()))
    }

    // MARK: Acting

    func perform(_ step: ServerStep, _ work: Work) async throws(StatusError) {
        let hypervisor = compute.hypervisor
        switch step {
        case .start: try await hypervisor.start(work.server, paused: false)
        case .startPaused: try await hypervisor.start(work.server, paused: true)
        case .requestShutdown: try await hypervisor.requestShutdown(work.server)
        case .stop: try await hypervisor.destroy(work.server)
        case .pause: try await hypervisor.pause(work.server)
        case .resume: try await hypervisor.resume(work.server)
        case .save: try await hypervisor.save(work.server)
        case .reset: try await hypervisor.reset(work.server)
        case .undefine: try await hypervisor.undefine(work.server)
        case .removeFiles: try await compute.storage.remove(work.server)
        case .createDisk, .createConfigDrive, .define: try await make(step, work)
        case .fetchImage, .readConsole, .awaitShutdown: break  // Others do these, and time them themselves.
        }
    }

    private func make(_ step: ServerStep, _ work: Work) async throws(StatusError) {
        guard let spec = work.spec else { return }
        switch step {
        case .createDisk: try await compute.storage.makeDisks(spec)
        case .createConfigDrive:
            guard let content = work.configDrive else { return }
            try await compute.storage.makeConfigDrive(spec, content: content)
        default: try await compute.hypervisor.define(compute.definition(of: spec))
        }
    }

    func performed(_ steps: [ServerStep], _ memory: inout Memory, now: Duration) -> Duration? {
        guard steps.contains(.requestShutdown) else { return nil }
        memory.shutdownAskedAt = now
        return core.settings.shutdownGrace
    }

    func passEnded(_ pending: [AnyID: Memory]) {
        var awaited: [ServerID: ImageSpec] = [:]
        for (id, memory) in pending {
            if let image = memory.awaitedImage { awaited[id.cast()] = image }
        }
        images.fetch(awaited)
    }

    func tick() async { images.sweepIfDue() }

    func perform(_ operation: Operation, on key: ResourceKey, _ access: KeyedAccess) async -> OperationResult {
        let worker = StepWorker(driver: self, clock: core.clock, wallClock: core.wallClock)
        return await OperationRunner(
            worker: worker, poll: core.settings.shutdownPoll, networkGrace: core.settings.networkGrace,
            bootID: core.bootID, access: access
        ).perform(operation)
    }
}

extension StatusError {
    static func missingRootDisk(of spec: ServerSpec) -> StatusError {
        StatusError(
            code: .hostFailure,
            message: "The server's root disk is missing on its host: ask the operator to bring it back, or rebuild the "
                + "server to begin with a fresh one.",
            detail: "server=\(spec.id) version=\(spec.rootDiskVersion): is the file system with the disks mounted?")
    }
}

extension ComputeDrivers {
    func definition(of spec: ServerSpec) -> DomainDefinition {
        DomainDefinition(
            spec: spec, disks: storage.disks(of: spec), consoleLogPath: storage.consoleLogPath(of: spec.id))
    }
}
