import CoordinatorFleet
import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

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
            let event = HostedEvent(
                name: "schedule", host: decision.hostname ?? "", startedAt: now, finishedAt: now,
                result: decision.host == nil ? "Error" : "Success", details: decision.summary)
            try parts.log.add(event, to: action, in: transaction)
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
        try parts.network.bindPorts(of: server.id, to: host.node, availabilityZone: host.zone, in: transaction)
        try parts.workflow.occupy(&server, task: .networking, at: now, in: transaction)
    }

    /// Swap counts in whole GiB, as placement does; a flavor without a root size takes what the image needs.
    static func diskGiB(_ flavor: FlavorSnapshot, image: ImageSnapshot) -> Int {
        let gib: Int64 = 1 << 30
        let root = flavor.rootGiB > 0 ? flavor.rootGiB : Int((image.virtualSizeBytes + gib - 1) / gib)
        return root + flavor.ephemeralGiB + (flavor.swapMiB + 1023) / 1024
    }
}
