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
        /// Devices that the guest was asked to let go of.
        var detachment = Detachment()
        /// For this generation: making it means rendering the whole definition.
        var definitionDigest: String?
    }

    /// What was asked of a guest.
    struct Detachment: Sendable {
        var devices: Set<GuestDevice> = []
        var attempts = 0
        /// In the engine's uptime.
        var askedAt = Duration.zero
    }

    /// Digests of the images that are in the cache.
    typealias Context = Set<String>
    typealias Step = ServerStep

    struct Work: Sendable {
        var server: ServerID
        /// `nil` for what shall go.
        var spec: ServerSpec?
        var configDrive: ConfigDriveContent?
        var devices = DeviceChanges()
    }

    let compute: ComputeDrivers
    let core: EngineCore
    let images: ImageDesk
    /// Snapshots that are made and sent at once: each takes a processor, space and a stream of the link.
    let snapshots = SlotCount(2)
    /// Consoles that are open: each takes a stream of the link, which has more than these.
    let consoles = SlotCount(Self.consolesAtOnce)
    static let consolesAtOnce = 32
    let serialLines = SerialLines()

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
        let plan = core.plan
        for (server, domain) in domains {
            var domain = domain
            if !domain.devices.namelessTaps.isEmpty {
                domain.devices = domain.devices.naming(plan.server(server)?.interfaces.map(\.port) ?? [])
            }
            seen[server.cast(), default: Sighting()].domain = domain
        }
        for (server, files) in files { seen[server.cast(), default: Sighting()].files = files }
        return seen
    }

    /// Which of the images that these servers need for a disk are in the cache.
    func context(for ids: [AnyID], _ seen: [AnyID: Sighting], _ plan: AgentPlan) async -> Set<String> {
        var needed: [String: ImageSpec] = [:]
        for id in ids {
            guard let spec = plan.server(id.cast()) else { continue }
            if let image = spec.image, seen[id]?.files?.rootDiskVersion != spec.rootDiskVersion {
                needed[image.sha512] = image
            }
            if let rescue = spec.rescue, seen[id]?.files?.rescueVersion != rescue.version {
                needed[rescue.image.sha512] = rescue.image
            }
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
        return .server(
            ServerDetails(
                power: isSaved ? .suspended : domain.power, domainName: domain.name,
                interfaces: domain.devices.interfaces.sorted(), volumes: domain.devices.volumes.sorted()))
    }

    // MARK: Deciding

    func memory(after old: Memory?) -> Memory {
        var memory = Memory(shutdownAskedAt: old?.shutdownAskedAt)
        // Another wish is another chance; what was asked just now need not be asked again at once.
        memory.detachment = old?.detachment ?? Detachment()
        memory.detachment.attempts = min(1, memory.detachment.attempts)
        return memory
    }

    func decide(_ situation: KeyedSituation<Self>, _ memory: inout Memory) -> KeyedDecision<Self> {
        guard case .server(let spec) = situation.spec else {
            return KeyedDecision(phase: .pending, work: Work(server: situation.key.id.cast()))
        }
        let (view, configDrive) = view(situation, spec, &memory)
        let plan = ServerPlanner.plan(spec, generation: situation.generation, view: view)
        var decision = KeyedDecision<Self>(
            phase: plan.phase, steps: plan.steps,
            work: Work(server: spec.id, spec: spec, configDrive: configDrive, devices: plan.devices))
        decision.news = images.takeSteps(for: spec.id)
        memory.awaitedImage = plan.wait == .image ? spec.image : plan.wait == .rescueImage ? spec.rescue?.image : nil
        if let awaited = memory.awaitedImage { decision.failure = images.failure(of: awaited) }
        decision.error = error(for: plan.wait, spec, situation)
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
        if spec.hasConfigDrive, domain?.isActive != true || ServerPlanner.mustGoDown(spec, domain),
            network != .unknown
        {
            configDrive = Self.configDrive(of: spec, situation.plan)
        }
        if !ServerPlanner.mustGoDown(spec, domain) { memory.shutdownAskedAt = nil }
        func hasImage(_ image: ImageSpec?) -> Bool { image.map { situation.context.contains($0.sha512) } ?? true }
        var view = ServerPlanner.View(
            domain: domain, files: situation.sighting?.files, settled: situation.settled, bootID: situation.bootID,
            definitionDigest: digest, configDriveDigest: configDrive?.digest, hasImage: hasImage(spec.image),
            hasRescueImage: hasImage(spec.rescue?.image), network: network,
            shutdown: memory.shutdownAskedAt.map {
                situation.now - $0 >= core.settings.shutdownGrace ? .graceOver : .asked
            } ?? .notAsked)
        look(at: domain, of: spec, situation, &memory.detachment, into: &view)
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

    func decideRemoval(_ id: AnyID, _ sighting: Sighting?, _ last: ResourceSpec?) -> KeyedDecision<Self> {
        let plan = ServerPlanner.planRemoval(domain: sighting?.domain, files: sighting?.files)
        return KeyedDecision(
            phase: plan.steps.isEmpty ? .gone : .applying, steps: plan.steps, work: Work(server: id.cast()))
    }

    // MARK: Acting

    func perform(_ step: ServerStep, _ work: Work) async throws(StatusError) {
        guard step.opensVolumes, let spec = work.spec, !spec.volumes.isEmpty else { return try await act(step, work) }
        // QEMU is not given a volume while a snapshot puts another file in its place.
        try await compute.volumeTurns.holding(Set(spec.volumes.map(\.id))) { () throws(StatusError) in
            for volume in spec.volumes {
                if case .pool(let pool) = volume.place { try await compute.volumePaths?.settle(volume.id, pool: pool) }
            }
            try await act(step, work)
        }
    }

    private func act(_ step: ServerStep, _ work: Work) async throws(StatusError) {
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
        case .removeRescueDisk: try await compute.storage.removeRescueDisk(work.server)
        case .detachDevices: try await hypervisor.detach(work.devices.detach, from: work.server)
        case .createDisk, .resizeDisks, .createRescueDisk, .createConfigDrive, .define, .attachDevices:
            try await make(step, work)
        // Others do these, and time them themselves.
        case .fetchImage, .readConsole, .awaitShutdown, .copyDisk, .compressDisk, .uploadImage, .changePassword,
            .injectNMI, .diagnose, .openConsole:
            break
        }
    }

    private func make(_ step: ServerStep, _ work: Work) async throws(StatusError) {
        guard let spec = work.spec else { return }
        switch step {
        case .createDisk, .resizeDisks: try await compute.storage.makeDisks(spec)
        case .createRescueDisk: try await compute.storage.makeRescueDisk(spec)
        case .createConfigDrive:
            guard let content = work.configDrive else { return }
            try await compute.storage.makeConfigDrive(spec, content: content)
        case .attachDevices:
            try await compute.hypervisor.attach(work.devices.attach, of: compute.definition(of: spec))
        default:
            if let problem = compute.missingPool(of: spec) { throw problem }
            try await compute.hypervisor.define(compute.definition(of: spec))
        }
    }

    func performed(_ steps: [ServerStep], _ memory: inout Memory, now: Duration) -> Duration? {
        if steps.contains(.detachDevices) {
            memory.detachment.attempts += 1
            memory.detachment.askedAt = now
        }
        guard steps.contains(.requestShutdown) else {
            return steps.contains(.detachDevices) ? core.settings.detachGrace : nil
        }
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
