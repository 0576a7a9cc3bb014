import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

/// What becomes of a build that failed on its host: another host, or ERROR.
struct BuildRetry: Sendable {
    let parts: ComputeParts

    func run(
        _ server: inout ServerRecord, evidence: ServerWorkflow.Evidence, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        let old = server.host
        if let old {
            server.excluded[old.node] = evidence.message
            try parts.plans.remove(.server(server.id), from: old.node, in: transaction)
        }
        guard server.attempts < parts.settings.buildAttempts, server.pinnedHost == nil else {
            return try giveUp(&server, evidence, reason: "", at: now, in: transaction)
        }
        try parts.placement.release(server.id, in: transaction)
        let decision = try HostChoice(parts: parts).claim(&server, at: now, in: transaction)
        guard decision.host != nil else {
            // The old host may still hold the guest's remains, so it stays the server's until it says gone.
            server.host = old
            return try giveUp(&server, evidence, reason: decision.summary, at: now, in: transaction)
        }
        try HostChoice(parts: parts).occupy(&server, at: now, in: transaction)
    }

    private func giveUp(
        _ server: inout ServerRecord, _ evidence: ServerWorkflow.Evidence, reason: String, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        let tries = server.attempts == 1 ? "1 host" : "\(server.attempts) hosts"
        var message = "Build of instance \(server.id) failed on \(tries). \(evidence.message)"
        if !reason.isEmpty { message += " No other host fits: \(reason)" }
        server.state = ServerState(vm: .error, task: nil, power: .none, hasLaunched: false)
        server.fault = ServerFault(message: message, details: evidence.detail, createdAt: now)
        try ServerWorkflow(parts: parts).endTask(&server, message: "Error", at: now, in: transaction)
    }
}

/// Choosing and taking a host for a server.
struct HostChoice: Sendable {
    let parts: ComputeParts

    /// Claims a host and records why it was chosen; without one, `server.host` is left as it is.
    func claim(
        _ server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction
    ) throws -> PlacementDecision {
        let flavor = server.flavor
        let request = PlacementRequest(
            consumer: server.id, project: server.project, user: server.user, vcpus: flavor.vcpus,
            memoryMiB: flavor.memoryMiB, diskGiB: Self.diskGiB(flavor, image: server.image),
            availabilityZone: server.pinnedZone, host: server.pinnedHost,
            physicalNetworks: try parts.network.physicalNetworks(of: server.id, in: transaction),
            needsUEFI: server.image.properties["hw_firmware_type"] == "uefi", excluded: server.excluded)
        let decision = try parts.placement.claim(request, at: now, in: transaction)
        if let action = server.actionID {
            try parts.actions.add(decision, to: action, server: server.id, at: now, in: transaction)
            let event = ServerEvent(
                name: "schedule", host: decision.hostname ?? "", startedAt: now, finishedAt: now,
                result: decision.host == nil ? "Error" : "Success", details: decision.summary)
            try parts.actions.add(event, to: action, server: server.id, in: transaction)
        }
        if let node = decision.host {
            let zone = try parts.directory.node(node, in: transaction)?.report?.availabilityZone ?? ""
            server.host = ServerHost(
                node: node, hostname: decision.hostname ?? "", zone: zone.isEmpty ? parts.settings.defaultZone : zone)
        }
        return decision
    }

    /// Binds the ports to the claimed host and puts the server on its plan.
    func occupy(_ server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        guard let host = server.host else { return }
        try parts.network.bindPorts(
            of: server.id, to: host.node, availabilityZone: host.zone, at: now, in: transaction)
        server.attempts += 1
        server.state = ServerState(vm: .building, task: .networking, power: .none, hasLaunched: false)
        server.taskDeadline = now + TaskState.networking.allowedSeconds * 1_000_000
        try ServerWorkflow(parts: parts).plan(&server, .running, in: transaction)
    }

    /// Swap counts in whole GiB, as placement does; a flavor without a root size takes what the image needs.
    static func diskGiB(_ flavor: FlavorSnapshot, image: ImageSnapshot) -> Int {
        let gib: Int64 = 1 << 30
        let root = flavor.rootGiB > 0 ? flavor.rootGiB : Int((image.virtualSizeBytes + gib - 1) / gib)
        return root + flavor.ephemeralGiB + (flavor.swapMiB + 1023) / 1024
    }
}
