import ProtocolModel

/// How far what a server stands on is: what it needs before it can be started, and what a guest that runs is to be given.
extension ServerKind {
    func networkReadiness(
        for spec: ServerSpec, _ plan: AgentPlan, _ readiness: (ResourceKey) -> Readiness
    ) -> ServerPlanner.NetworkReadiness {
        var worst = ServerPlanner.NetworkReadiness.ready
        for interface in spec.interfaces { worst = worst.worse(self.readiness(of: interface, plan, readiness)) }
        for key in compute.foundations.keys(spec) { worst = worst.worse(Self.inFull(readiness(key))) }
        if let problem = compute.missingPool(of: spec) { worst = worst.worse(.failed(problem)) }
        return worst
    }

    private func readiness(
        of interface: ServerSpec.Interface, _ plan: AgentPlan, _ readiness: (ResourceKey) -> Readiness
    ) -> ServerPlanner.NetworkReadiness {
        guard let port = plan.port(interface.port), plan.network(interface.network) != nil else { return .unknown }
        var worst = ServerPlanner.NetworkReadiness.ready
        for key in [.network(interface.network)] + port.securityGroups.map(ResourceKey.securityGroup) {
            switch readiness(key) {
            case .failed(let error): return .failed(error)
            case .ready: break
            case .unknown, .waiting, .prepared: worst = .prepared
            }
        }
        // Another server may have had it. Groups change whenever anybody joins them: nobody waits for that.
        switch readiness(.port(interface.port)) {
        case .failed(let error): return .failed(error)
        case .ready(isCurrent: true): return worst
        case .prepared: return .prepared
        case .ready(isCurrent: false), .unknown, .waiting: return .waiting
        }
    }

    private static func inFull(_ readiness: Readiness) -> ServerPlanner.NetworkReadiness {
        switch readiness {
        case .failed(let error): .failed(error)
        case .ready(isCurrent: true): .ready
        case .ready(isCurrent: false), .unknown, .waiting, .prepared: .waiting
        }
    }

    /// Notes what a running guest lacks, and what it was asked to let go of.
    func look(
        at domain: DomainObservation?, of spec: ServerSpec, _ situation: KeyedSituation<Self>,
        _ detachment: inout Detachment, into view: inout ServerPlanner.View
    ) {
        guard let domain, domain.isActive else {
            detachment = Detachment()
            return
        }
        for interface in spec.interfaces where !domain.devices.interfaces.contains(interface.port) {
            view.devices[.interface(interface.port)] = readiness(of: interface, situation.plan, situation.readiness)
        }
        for volume in spec.volumes where !domain.devices.volumes.contains(volume.id) {
            let problem = compute.missingPool(of: volume).map(ServerPlanner.NetworkReadiness.failed)
            view.devices[.volume(volume.id)] =
                problem ?? volume.foundation.map { Self.inFull(situation.readiness($0)) } ?? .ready
        }
        let surplus = Set(ServerPlanner.surplus(spec, domain))
        // One more to go is another request; fewer are a request that is being heeded.
        if !surplus.isSubset(of: detachment.devices) { detachment = Detachment() }
        detachment.devices = surplus
        guard detachment.attempts > 0 else { return }
        let isWaiting = situation.now - detachment.askedAt < core.settings.detachGrace
        view.detach =
            isWaiting ? .asked : detachment.attempts < core.settings.detachAttempts ? .notAsked : .givenUp
    }

    /// What the one who waits for the server is told.
    func error(
        for wait: ServerPlanner.Wait?, _ spec: ServerSpec, _ situation: KeyedSituation<Self>
    ) -> StatusError? {
        switch wait {
        case .networkFailed(let error)?: return error
        case .missingDisk?: return .missingRootDisk(of: spec)
        case .laterDisk(let version)?: return .laterRootDisk(version, of: spec)
        case .stuck(let devices)?: return .stuck(devices, of: spec)
        case .network?:
            let keys = compute.foundations.keys(spec)
            return keys.first { situation.readiness($0) != .ready(isCurrent: true) }.map(StatusError.awaiting)
        case .image?, .rescueImage?, .shutdown?, .connection?, .hypervisor?, .detachment?, nil: return nil
        }
    }
}

extension ServerPlanner.NetworkReadiness {
    /// The one of the two that more is missing from.
    func worse(_ other: Self) -> Self { other.rank > rank ? other : self }

    private var rank: Int {
        switch self {
        case .ready: 0
        case .prepared: 1
        case .waiting: 2
        case .failed: 3
        case .unknown: 4
        }
    }
}

extension ComputeDrivers {
    func definition(of spec: ServerSpec) -> DomainDefinition {
        DomainDefinition(
            spec: spec, disks: storage.disks(of: spec) + spec.volumes.compactMap(disk),
            consoleLogPath: storage.consoleLogPath(of: spec.id))
    }

    private func disk(_ volume: ServerSpec.Volume) -> DomainDisk? {
        switch volume.place {
        case .pool(let pool):
            guard let location = volumePaths?.location(of: volume.id, pool: pool) else { return nil }
            return DomainDisk(
                role: .volume(volume), source: location.isBlockDevice ? .block(location.path) : .file(location.path),
                format: location.format)
        case .remote(let node, let address, let port):
            return DomainDisk(
                role: .volume(volume),
                source: .nbd(node: node, address: address, port: port, export: volume.id.text), format: .raw)
        }
    }

    /// Why one of the server's volumes cannot be found.
    func missingPool(of spec: ServerSpec) -> StatusError? { spec.volumes.lazy.compactMap(missingPool).first }

    func missingPool(of volume: ServerSpec.Volume) -> StatusError? {
        guard case .pool(let pool) = volume.place, volumePaths?.location(of: volume.id, pool: pool) == nil else {
            return nil
        }
        return StatusError(
            code: .unsupported,
            message: "The host has no storage pool '\(pool)', where volume \(volume.id) is: ask the operator.",
            detail: "storage.pools of the agent's configuration lacks '\(pool)'")
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

    fileprivate static func laterRootDisk(_ version: Int, of spec: ServerSpec) -> StatusError {
        StatusError(
            code: .conflict,
            message: "The server's root disk on its host is newer than the one that is asked for, and is kept: ask the "
                + "operator, or rebuild the server to begin with a fresh one.",
            detail: "server=\(spec.id) version=\(version), wanted=\(spec.rootDiskVersion): was the coordinator "
                + "restored from an old copy?")
    }

    fileprivate static func stuck(_ devices: [GuestDevice], of spec: ServerSpec) -> StatusError {
        let names = devices.map(\.name)
        return StatusError(
            code: .timedOut,
            message: "The guest does not let go of \(names.joined(separator: ", ")): stop using it in the guest "
                + "(unmount it, say), or stop the server, which detaches it.",
            detail: "server=\(spec.id): no device-removed event")
    }

    fileprivate static func awaiting(_ key: ResourceKey) -> StatusError {
        StatusError(
            code: .timedOut, message: "The server waits for \(key), which is not ready on its host yet.",
            detail: "\(key)")
    }
}
