import ProtocolModel

/// Volumes: ``VolumePlanner`` decides, the pools and whoever has the guests act.
struct VolumeKind: KeyedDriver {
    /// What is on the host of one volume.
    struct Sighting: Sendable, Equatable {
        /// By pool; a volume is in one, unless somebody moved it by hand.
        var places: [String: StoredVolume] = [:]
        /// Whether a guest has it, `nil` while nobody can tell.
        var isInUse: Bool?
    }

    struct Memory: Sendable {
        /// The image it waits for.
        var awaitedImage: ImageSpec?
    }

    struct Context: Sendable {
        /// Digests of the images that are in the cache.
        var images: Set<String>
        var pools: [String: PoolWatch.Pool]
    }

    typealias Step = VolumePlanner.Step

    struct Work: Sendable {
        var volume: VolumeID
        /// `nil` for what shall go.
        var spec: VolumeSpec?
        /// Where it is removed from.
        var pools: [String] = []
    }

    let drivers: VolumeDrivers
    let core: EngineCore
    let images: ImageDesk
    /// Copies that are made and sent at once: each takes a processor, space and a stream of the link.
    let uploads = SlotCount(2)
    private let watch: PoolWatch

    init(_ drivers: VolumeDrivers, _ core: EngineCore) {
        self.drivers = drivers
        self.core = core
        images = ImageDesk(drivers.images, core, for: .volume)
        watch = PoolWatch(drivers.pools)
    }

    var kind: ResourceKind { .volume }
    /// Some may wait for an image to be copied.
    var limits: KeyedLimits { KeyedLimits(atOnce: 32) }
    /// A server that is as it is wanted now may have let go of one.
    var dependencies: Set<ResourceKind> { [.volumeSnapshot, .server] }
    /// A guest that still has it keeps it.
    var holders: Set<ResourceKind> { [.server] }

    func reads(_ spec: ResourceSpec) -> Bool { if case .volume = spec { true } else { false } }

    // MARK: Observing

    func observe() async throws(StatusError) -> [AnyID: Sighting] {
        let pools = await watch.look()
        var seen: [AnyID: Sighting] = [:]
        for (name, pool) in pools {
            guard case .seen(let contents) = pool else { continue }
            for (id, stored) in contents.volumes { seen[id.cast(), default: Sighting()].places[name] = stored }
        }
        // Whoever acts on this asks once more, with the volume's turn.
        guard !seen.isEmpty, let attachments = await attachments() else { return seen }
        for id in seen.keys { seen[id]?.isInUse = attachments[id.cast()] != nil }
        return seen
    }

    private func attachments() async -> [VolumeID: [VolumeAttachment]]? {
        guard let attached = drivers.attached else { return [:] }
        do throws(StatusError) {
            return try await attached.attachments()
        } catch {
            return nil
        }
    }

    func context(for ids: [AnyID], _ seen: [AnyID: Sighting], _ plan: AgentPlan) async -> Context {
        var here: Set<String> = []
        for id in ids where seen[id] == nil {
            guard case .volume(let spec)? = plan.entries[.volume(id.cast())]?.spec?.inForce,
                case .image(let image) = spec.source, !here.contains(image.sha512), !images.isFetching(image)
            else { continue }
            if await drivers.images.hasImage(image) { here.insert(image.sha512) }
        }
        return Context(images: here, pools: watch.pools)
    }

    func details(_ spec: ResourceSpec, _ sighting: Sighting?) -> ResourceStatus.Details {
        guard case .volume(let spec) = spec, let stored = sighting?.places[spec.pool] else { return .none }
        return .volume(
            VolumeDetails(sizeGiB: Int(stored.sizeBytes >> 30), allocatedBytes: stored.allocatedBytes))
    }

    // MARK: Deciding

    func memory(after old: Memory?) -> Memory { Memory() }

    func decide(_ situation: KeyedSituation<Self>, _ memory: inout Memory) -> KeyedDecision<Self> {
        guard case .volume(let spec) = situation.spec else {
            return KeyedDecision(phase: .pending, work: Work(volume: situation.key.id.cast()))
        }
        let pools = situation.context.pools
        let contents = pools.contents(of: spec.pool)
        let view = VolumePlanner.View(
            poolFailure: pools.failure(of: spec.pool), stored: situation.sighting?.places[spec.pool],
            wasMade: situation.settled?.base == spec.pool, isInUse: situation.sighting?.isInUse,
            source: source(of: spec, contents, situation),
            hasReversion: spec.reversion.map { contents?.snapshots[$0.snapshot] != nil } ?? true)
        let plan = VolumePlanner.plan(spec, view)
        var decision = KeyedDecision<Self>(
            phase: plan.phase, steps: plan.steps, work: Work(volume: spec.id, spec: spec))
        // As long as it is not brought to its end, nothing else can be done with the volume.
        decision.isPersistent = plan.steps == [.finish]
        decision.news = images.takeSteps(for: spec.id)
        decision.error = plan.error
        decision.failure = plan.failure
        memory.awaitedImage = nil
        if case .image(let image) = spec.source, view.stored == nil, plan.phase == .pending {
            memory.awaitedImage = image
            decision.failure = images.failure(of: image)
        }
        if plan.phase == .ready {
            decision.reached = "made"
            decision.base = spec.pool
        }
        return decision
    }

    private func source(
        of spec: VolumeSpec, _ contents: PoolContents?, _ situation: KeyedSituation<Self>
    ) -> Readiness {
        let isThere: Bool
        switch spec.source {
        case .empty: isThere = true
        case .image(let image): isThere = situation.context.images.contains(image.sha512)
        case .snapshot(let snapshot, of: _): isThere = contents?.snapshots[snapshot] != nil
        case .volume(let volume): isThere = contents?.volumes[volume]?.isUnfinished == false
        }
        if isThere { return .ready(isCurrent: true) }
        if let key = spec.source.key, case .failed(let error) = situation.readiness(key) { return .failed(error) }
        return .waiting
    }

    func decideRemoval(_ id: AnyID, _ sighting: Sighting?, _ last: ResourceSpec?) -> KeyedDecision<Self> {
        let volume: VolumeID = id.cast()
        var pool: String?
        if case .volume(let spec)? = last { pool = spec.pool }
        let present = watch.pools
        let isNeeded =
            core.plan.isAttached(volume)
            || core.plan.isSource(.volume(volume)) { other in
                present.values.contains { if case .seen(let seen) = $0 { seen.volumes[other] != nil } else { false } }
            }
        let plan = VolumePlanner.planRemoval(
            isThere: sighting != nil, isInUse: sighting?.isInUse, isNeeded: isNeeded, canTell: watch.canTell(pool))
        return KeyedDecision(
            phase: plan.phase, steps: plan.steps,
            work: Work(volume: volume, pools: sighting?.places.keys.sorted() ?? []))
    }

    // MARK: Acting

    func perform(_ step: Step, _ work: Work) async throws(StatusError) {
        var volumes: Set<VolumeID> = [work.volume]
        if step == .create, case .volume(let source)? = work.spec?.source { volumes.insert(source) }
        try await drivers.turns.holding(volumes) { () throws(StatusError) in
            guard step != .remove else {
                for name in work.pools { try await drivers.pools[name]?.remove(work.volume) }
                return
            }
            guard let spec = work.spec, let pool = drivers.pools[spec.pool] else { return }
            switch step {
            case .create: try await pool.create(spec)
            case .finish: try await pool.finish(spec.id)
            case .extend: try await pool.extend(spec.id, toBytes: spec.sizeBytes)
            case .revert: if let reversion = spec.reversion { try await pool.revert(spec.id, to: reversion) }
            case .remove: break
            }
        }
    }

    func perform(_ operation: Operation, on key: ResourceKey, _ access: KeyedAccess) async -> OperationResult {
        guard case .uploadVolume(let volume, let image, let format) = operation.action else {
            return OperationResult(
                id: operation.id, outcome: .failed(.unsupported(operation.action.name, coordinator: "")))
        }
        return await VolumeUpload(driver: self, access: access, operation: operation)
            .perform(volume, as: image, format)
    }

    func passEnded(_ pending: [AnyID: Memory]) {
        var awaited: [VolumeID: ImageSpec] = [:]
        for (id, memory) in pending {
            if let image = memory.awaitedImage { awaited[id.cast()] = image }
        }
        images.fetch(awaited)
    }

    func tick() async {
        images.sweepIfDue()
        for pool in drivers.pools.values { await pool.tick() }
    }
}
