import ProtocolModel

/// Snapshots of volumes.
struct VolumeSnapshotKind: KeyedDriver {
    /// By pool.
    typealias Sighting = [String: StoredSnapshot]
    typealias Context = [String: PoolWatch.Pool]

    enum Step: String, Sendable, Equatable {
        case create = "create-snapshot"
        case remove = "remove-snapshot"
    }

    struct Work: Sendable {
        var snapshot: VolumeSnapshotID
        var spec: VolumeSnapshotSpec?
        /// Where it is removed from.
        var pools: [String] = []
    }

    let drivers: VolumeDrivers
    let core: EngineCore
    private let watch: PoolWatch

    init(_ drivers: VolumeDrivers, _ core: EngineCore) {
        self.drivers = drivers
        self.core = core
        watch = PoolWatch(drivers.pools)
    }

    var kind: ResourceKind { .volumeSnapshot }
    var dependencies: Set<ResourceKind> { [.volume] }

    func reads(_ spec: ResourceSpec) -> Bool { if case .volumeSnapshot = spec { true } else { false } }

    func observe() async throws(StatusError) -> [AnyID: Sighting] {
        var seen: [AnyID: Sighting] = [:]
        for (name, pool) in await watch.look() {
            guard case .seen(let contents) = pool else { continue }
            for (id, stored) in contents.snapshots { seen[id.cast(), default: [:]][name] = stored }
        }
        return seen
    }

    func context(for ids: [AnyID], _ seen: [AnyID: Sighting], _ plan: AgentPlan) async -> Context { watch.pools }

    func details(_ spec: ResourceSpec, _ sighting: Sighting?) -> ResourceStatus.Details {
        guard case .volumeSnapshot(let spec) = spec, let stored = sighting?[spec.pool] else { return .none }
        return .volume(VolumeDetails(sizeGiB: stored.sizeBytes.wholeGiB, allocatedBytes: 0))
    }

    func decide(_ situation: KeyedSituation<Self>, _ memory: inout NoMemory) -> KeyedDecision<Self> {
        guard case .volumeSnapshot(let spec) = situation.spec else {
            return KeyedDecision(phase: .pending, work: Work(snapshot: situation.key.id.cast()))
        }
        var decision = KeyedDecision<Self>(phase: .pending, work: Work(snapshot: spec.id, spec: spec))
        guard let contents = situation.context.contents(of: spec.pool) else {
            decision.phase = .applying
            decision.error = situation.context.failure(of: spec.pool)
            if decision.error?.isPermanent == true { decision.failure = decision.error }
            return decision
        }
        if situation.sighting?[spec.pool] != nil {
            decision.phase = .ready
            decision.reached = "made"
            decision.base = spec.pool
        } else if situation.settled?.base == spec.pool {
            // What the volume holds by now is not what it held then.
            decision.phase = .failed
            decision.error = .missingSnapshot(spec)
        } else if let volume = contents.volumes[spec.volume], !volume.isUnfinished {
            decision.phase = .applying
            decision.steps = [.create]
        } else if case .failed(let error) = situation.readiness(.volume(spec.volume)) {
            decision.phase = .failed
            decision.error = error
        }
        return decision
    }

    func decideRemoval(_ id: AnyID, _ sighting: Sighting?, _ last: ResourceSpec?) -> KeyedDecision<Self> {
        var pool: String?
        if case .volumeSnapshot(let spec)? = last { pool = spec.pool }
        let pools = watch.pools
        let isNeeded = core.plan.isSource(.volumeSnapshot(id.cast())) { volume in
            pools.values.contains { if case .seen(let seen) = $0 { seen.volumes[volume] != nil } else { false } }
        }
        let plan = VolumePlanner.planRemoval(
            isThere: sighting != nil, isInUse: false, isNeeded: isNeeded, canTell: watch.canTell(pool))
        return KeyedDecision(
            phase: plan.phase, steps: plan.steps.isEmpty ? [] : [.remove],
            work: Work(snapshot: id.cast(), pools: sighting?.keys.sorted() ?? []))
    }

    func perform(_ step: Step, _ work: Work) async throws(StatusError) {
        switch step {
        case .create:
            guard let spec = work.spec, let pool = drivers.pools[spec.pool] else { return }
            try await drivers.turns.holding([spec.volume]) { () throws(StatusError) in
                try await pool.snapshot(spec.volume, as: spec.id)
            }
        case .remove:
            for name in work.pools { try await drivers.pools[name]?.remove(work.snapshot) }
        }
    }
}

extension StatusError {
    static func missingSnapshot(_ spec: VolumeSnapshotSpec) -> StatusError {
        StatusError(
            code: .hostFailure, message: "The snapshot is missing on its host: ask the operator to bring it back.",
            detail: "snapshot=\(spec.id) pool=\(spec.pool): is the pool's file system mounted?")
    }
}
