import CoordinatorFleet
import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

/// Volumes, as the fleet's workflow of hosted resources sees them.
struct VolumeHosting: HostedKind {
    let parts: BlockStorageParts

    let kind = ResourceKind.volume
    let words = HostedWords(
        noun: "volume",
        hostRemoved: "The volume's host was removed from the cloud. Delete the volume and make it anew from a backup.")
    var buildAttempts: Int { parts.settings.buildAttempts }

    init(parts: BlockStorageParts) { self.parts = parts }

    func find(_ id: AnyID, in reader: any SQLReader) throws -> VolumeRecord? {
        try parts.volumes.find(id.cast(), in: reader)
    }

    /// What is claimed of the pool follows what is wanted of it, and servers that wait hear how it went.
    func save(_ volume: inout VolumeRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        if volume.host != nil, volume.claimedGiB != volume.wantedGiB, volume.state.task == nil {
            if try parts.placement.resize(
                volume.id.cast(), ResourceClass.volumes(in: volume.pool), to: volume.wantedGiB, at: now,
                in: transaction)
            {
                volume.claimedGiB = volume.wantedGiB
            }
        }
        let task = try parts.volumes.find(volume.id, in: transaction)?.state.task
        try parts.volumes.save(&volume, at: now, in: transaction)
        try MessageBook(parts: parts).note(volume, task, at: now, in: transaction)
        guard volume.state.task == nil, volume.deletedAt == nil else { return }
        let servers = try parts.attachments.of(volume.id, in: transaction).filter(\.isManaged).compactMap(\.server)
        let failure = volume.state.status == .error ? volume.fault?.message ?? "The volume is in error." : nil
        try parts.listeners.tell(volume.id, servers: servers, failure: failure, at: now, in: transaction)
    }

    /// A volume whose host is down waits for it to be gone: its owner decides whether to force it.
    func overdue(at now: Int64, skipping skipped: Int, in reader: any SQLReader) throws -> ReadableRows<VolumeRecord> {
        var page = try parts.volumes.overdue(at: now, skipping: skipped, in: reader)
        page.records = try page.records.filter { volume in
            guard volume.state.task == .deleting, let node = volume.host?.node else { return true }
            return try parts.directory.node(node, in: reader)?.health != .down
        }
        return page
    }

    func overdue(at now: Int64, in reader: any SQLReader) throws -> [VolumeRecord] {
        try overdue(at: now, skipping: 0, in: reader).records
    }

    func on(_ node: NodeID, in reader: any SQLReader) throws -> [VolumeRecord] {
        try parts.volumes.on(node, in: reader)
    }

    func removeRows(deletedBefore time: Int64, in transaction: any SQLTransaction) throws -> [AnyID] {
        try parts.volumes.removeRows(deletedBefore: time, in: transaction).map { $0.cast() }
    }

    func sight(_ details: ResourceStatus.Details) -> VolumeDetails? {
        guard case .volume(let details) = details else { return nil }
        return details
    }

    func subject(of action: Operation.Action) -> AnyID? {
        guard case .uploadVolume(let volume, _, _) = action else { return nil }
        return volume.cast()
    }

    func ended(
        _ task: VolumeTask, _ outcome: HostedOutcome, of volume: inout VolumeRecord, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        if task == .uploading { try VolumeUploading(parts: parts).ended(outcome, of: &volume, in: transaction) }
        guard task == .extending, outcome == .completed else { return }
        let servers = try parts.attachments.of(volume.id, in: transaction)
            .filter { $0.isManaged && $0.status == .attached }.compactMap(\.server)
        guard let action = try parts.log.actions(on: volume.key, in: transaction).first else { return }
        try parts.listeners.tellExtended(volume.id, servers: servers, by: action, at: now, in: transaction)
    }

    func aim(_ volume: inout VolumeRecord) {
        volume.wantedGiB = volume.sizeGiB
        volume.reversionSnapshot = nil
    }

    func release(_ volume: VolumeRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        try parts.placement.release(volume.id.cast(), at: now, in: transaction)
    }

    /// What is made from another volume is made where that is, and what a server holds is where its server was put.
    func mayMove(_ volume: VolumeRecord) -> Bool {
        guard volume.pinnedHost == nil else { return false }
        switch volume.source {
        case .empty, .image: return true
        case .snapshot, .volume: return false
        }
    }

    func rehost(_ volume: inout VolumeRecord, at now: Int64, in transaction: any SQLTransaction) throws -> String? {
        let placing = VolumePlacing(parts: parts)
        guard let type = try parts.types.find(volume.type, in: transaction) else { return "its type is gone" }
        if let refusal = try placing.claim(&volume, type: type, at: now, in: transaction) { return refusal }
        try parts.volumeFlow.occupy(&volume, task: .creating, at: now, in: transaction)
        return nil
    }
}
