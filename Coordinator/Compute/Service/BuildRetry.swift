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
        try parts.placement.release(server.id.cast(), at: now, in: transaction)
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
        let request = try request(for: server, in: transaction)
        let decision = try parts.placement.claim(request, at: now, in: transaction)
        if let action = server.actionID {
            try parts.actions.add(decision, to: action, server: server.id, at: now, in: transaction)
            let event = ServerEvent(
                name: "schedule", host: decision.host?.hostname ?? "", startedAt: now, finishedAt: now,
                result: decision.host == nil ? "Error" : "Success", details: decision.summary)
            try parts.actions.add(event, to: action, server: server.id, in: transaction)
        }
        if let host = decision.host {
            let zone = host.availabilityZone
            server.host = ServerHost(
                node: host.node, hostname: host.hostname, zone: zone.isEmpty ? parts.settings.defaultZone : zone)
        }
        return decision
    }

    /// What the server needs of a host, in placement's words.
    private func request(for server: ServerRecord, in reader: any SQLReader) throws -> PlacementRequest {
        let flavor = server.flavor
        var request = PlacementRequest(
            consumer: PlacementRequest.Consumer(
                id: server.id.cast(), type: "INSTANCE", project: server.project, user: server.user),
            resources: [
                ResourceClass.vcpu: flavor.vcpus, ResourceClass.memory: flavor.memoryMiB,
                ResourceClass.disk: Self.diskGiB(flavor, image: server.image)
            ], role: .compute)
        request.availabilityZone = server.pinnedZone
        request.host = server.pinnedHost
        request.physicalNetworks = try parts.network.physicalNetworks(of: server.id, in: reader)
        if server.image.properties["hw_firmware_type"] == "uefi" { request.required = [Trait.uefi] }
        request.excluded = server.excluded
        return request
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
