import CoordinatorPlatform
import ProtocolModel

/// What projects have of this slice: volumes and snapshots; quotas and rights to types are housekeeping.
struct BlockStorageHoldings: ProjectHoldings {
    let parts: BlockStorageParts

    func remaining(of project: ProjectID, in reader: any SQLReader) throws -> [ProjectHolding] {
        [
            ProjectHolding("snapshot", try parts.snapshots.countOwned(by: project, in: reader)),
            ProjectHolding("volume", try parts.volumes.countOwned(by: project, in: reader))
        ]
    }

    /// Asks the hosts to delete them. Volumes that servers still hold stay counted until those are gone.
    func remove(
        everythingOf project: ProjectID, by origin: RemovalOrigin, in transaction: any SQLTransaction
    ) throws {
        let origin = Origin(
            permissions: origin.permissions, project: project, requestID: origin.requestID, now: origin.now)
        for snapshot in try parts.snapshots.owned(by: project, in: transaction) {
            try SnapshotCommands(parts: parts).remove(snapshot, isForced: false, origin: origin, in: transaction)
        }
        for var volume in try parts.volumes.owned(by: project, in: transaction) {
            let holders = try parts.attachments.of(volume.id, in: transaction)
            // What others hold of it is not the project's to take along.
            let isOthers = try parts.snapshots.of(volume.id, in: transaction).contains { $0.project != project }
            guard !isOthers, !holders.contains(where: \.isManaged) else { continue }
            volume.group = nil
            try VolumeCommands(parts: parts).delete(
                volume, cascades: true, isForced: true, origin: origin, in: transaction)
        }
    }

    func tidy(after project: ProjectID, in transaction: any SQLTransaction) throws {
        try parts.quotas.ledger.reset(project, in: transaction)
        try parts.types.revokeAll(of: project, in: transaction)
        try parts.typeExtras.unsetDefault(of: project, in: transaction)
        try parts.messages.deleteAll(of: project, in: transaction)
    }
}
