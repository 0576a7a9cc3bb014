import CoordinatorFleet
import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

/// Choosing and taking a place for a volume.
struct VolumePlacing: Sendable {
    let parts: BlockStorageParts

    /// Claims room in a pool that the type allows, where there is most of it, and notes why it was chosen.
    /// - Returns: Why there is none; then nothing was claimed and the volume is where it was.
    func claim(
        _ volume: inout VolumeRecord, type: VolumeType, at now: Int64, in transaction: any SQLTransaction
    ) throws -> String? {
        var pools: [String]
        var reasons: [String] = []
        if volume.pool.isEmpty || volume.pinnedHost == nil {
            (pools, reasons) = PoolChoice.names(for: type.extraSpecs, among: try parts.pools(in: transaction))
        } else {
            pools = [volume.pool]
        }
        for pool in pools {
            let decision = try parts.placement.claim(
                request(for: volume, pool: pool, zones: type.zones), at: now, in: transaction)
            try note(decision, pool: pool, of: volume, at: now, in: transaction)
            guard let host = decision.host else {
                reasons.append("\(pool): \(decision.summary)")
                continue
            }
            volume.pool = pool
            volume.claimedGiB = volume.wantedGiB
            volume.host = HostPlace(
                node: host.node, hostname: host.hostname,
                zone: host.availabilityZone.isEmpty ? parts.settings.defaultZone : host.availabilityZone)
            return nil
        }
        if reasons.isEmpty { reasons = ["no host has a pool for volumes"] }
        return reasons.prefix(8).joined(separator: "; ")
    }

    private func request(for volume: VolumeRecord, pool: String, zones: [String]?) -> PlacementRequest {
        var request = PlacementRequest(
            consumer: PlacementRequest.Consumer(
                id: volume.id.cast(), type: "VOLUME", project: volume.project, user: volume.user),
            resources: [ResourceClass.volumes(in: pool): volume.wantedGiB], role: .storage)
        request.availabilityZone = volume.pinnedZone ?? (zones?.count == 1 ? zones?.first : nil)
        request.host = volume.pinnedHost
        request.excluded = volume.excluded
        return request
    }

    private func note(
        _ decision: PlacementDecision, pool: String, of volume: VolumeRecord, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        guard let action = volume.actionID else { return }
        let event = HostedEvent(
            name: "schedule", host: decision.host?.hostname ?? "", startedAt: now, finishedAt: now,
            result: decision.host == nil ? "Error" : "Success", details: "pool '\(pool)': \(decision.summary)")
        try parts.log.add(event, to: action, in: transaction)
    }
}
