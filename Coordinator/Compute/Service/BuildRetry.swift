import CoordinatorFleet
import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

/// Choosing and taking a host for a server.
struct HostChoice: Sendable {
    let parts: ComputeParts

    /// Claims a host and records why it was chosen; without one, `server.host` is left as it is.
    /// - Parameter hostname: The only host it may be, whatever was asked for when the server was made.
    func claim(
        _ server: inout ServerRecord, on hostname: String? = nil, at now: Int64, in transaction: any SQLTransaction
    ) throws -> PlacementDecision {
        var request = try request(for: server, in: transaction)
        if let hostname {
            request.host = hostname
            request.excluded = [:]
        }
        let decision = try parts.placement.claim(request, at: now, in: transaction)
        if let action = server.actionID {
            try parts.actions.add(decision, to: action, server: server.id, at: now, in: transaction)
            let event = HostedEvent(
                name: "schedule", host: decision.host?.hostname ?? "", startedAt: now, finishedAt: now,
                result: decision.host == nil ? "Error" : "Success", details: decision.summary)
            try parts.log.add(event, to: action, in: transaction)
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
        let wishes = HardwareWishes.read(extraSpecs: flavor.extraSpecs, image: server.image.properties)
        request.resources.merge(wishes.resources) { $1 }
        request.required = wishes.required
        request.forbidden = wishes.forbidden
        request.availabilityZone = server.pinnedZone
        request.host = server.pinnedHost
        request.physicalNetworks = try parts.network.physicalNetworks(of: server.id, in: reader)
        if server.image.properties["hw_firmware_type"] == "uefi" { request.required.insert(Trait.uefi) }
        request.excluded = server.excluded
        return request
    }

    /// Binds the ports to the claimed host and puts the server on its plan.
    func occupy(_ server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        guard server.host != nil else { return }
        try bind(server, at: now, in: transaction)
        try parts.workflow.occupy(&server, task: .networking, at: now, in: transaction)
    }

    func bind(_ server: ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        guard let host = server.host else { return }
        try parts.network.bindPorts(of: server.id, to: host.node, availabilityZone: host.zone, at: now, in: transaction)
    }

    /// Swap counts in whole GiB, as placement does; a flavor without a root size takes what the image needs.
    static func diskGiB(_ flavor: FlavorSnapshot, image: ImageSnapshot) -> Int {
        let gib: Int64 = 1 << 30
        let root = flavor.rootGiB > 0 ? flavor.rootGiB : Int((image.virtualSizeBytes + gib - 1) / gib)
        return root + flavor.ephemeralGiB + (flavor.swapMiB + 1023) / 1024
    }
}
