import CoordinatorPlatform
import Crypto
import ProtocolModel

/// Volumes that are offered to another project, and taken by whoever knows the key.
struct TransferCommands: Sendable {
    let parts: BlockStorageParts

    /// - Returns: The offer and its key, which is told now and never again.
    func offer(
        _ volume: String, name: String?, leavesSnapshots: Bool, origin: Origin, in transaction: any SQLTransaction
    ) throws -> (VolumeTransfer, key: String) {
        var record = try VolumeAccess(parts: parts).volume(
            volume, asking: "volume:create_transfer", by: origin, in: transaction)
        guard record.status == .available else { throw BlockStorageError.volume("status must be available") }
        guard record.group == nil else {
            throw BlockStorageError.volume("Volume \(record.id) must not be part of a group.")
        }
        let snapshots = try parts.snapshots.of(record.id, in: transaction)
        if let busy = snapshots.first(where: { $0.status != .available }), !leavesSnapshots {
            throw BlockStorageError.snapshot("snapshot: \(busy.id) status must be available")
        }
        let salt = AnyID.random().compact
        let key = String(AnyID.random().compact.prefix(16))
        let transfer = VolumeTransfer(
            id: .random(), volume: record.id, project: record.project, name: name,
            keyHash: Self.hash(key, salt: salt), salt: salt, leavesSnapshots: leavesSnapshots, createdAt: origin.now)
        try parts.transfers.insert(transfer, in: transaction)
        record.state.status = .awaitingTransfer
        try parts.volumes.save(&record, at: origin.now, in: transaction)
        return (transfer, key)
    }

    /// Withdraws an offer.
    func withdraw(_ id: String, origin: Origin, in transaction: any SQLTransaction) throws {
        let transfer = try find(id, asking: "volume:delete_transfer", by: origin, in: transaction)
        guard try parts.transfers.delete(transfer.id, in: transaction) else { throw Self.missing(id) }
        guard var volume = try parts.volumes.find(transfer.volume, in: transaction),
            volume.state.status == .awaitingTransfer
        else { return }
        volume.state.status = .available
        try parts.volumes.save(&volume, at: origin.now, in: transaction)
    }

    /// Takes a volume over, with its snapshots unless those were left out: quota of who takes it decides.
    func accept(
        _ id: String, key: String, origin: Origin, in transaction: any SQLTransaction
    ) throws -> VolumeTransfer {
        try origin.require("volume:accept_transfer", origin.project)
        guard let uuid = VolumeTransferID(id), let transfer = try parts.transfers.find(uuid, in: transaction) else {
            throw Self.missing(id)
        }
        guard Self.isSame(Self.hash(key, salt: transfer.salt), transfer.keyHash) else {
            throw APIError.badRequest("Invalid auth key: Attempt to transfer \(id) with invalid auth key.")
        }
        guard var volume = try parts.volumes.find(transfer.volume, in: transaction), !volume.isDeleted,
            volume.state.status == .awaitingTransfer, volume.state.task == nil
        else { throw BlockStorageError.volume("Volume \(transfer.volume) is not awaiting a transfer any more.") }
        // One conditional write decides between two who take it at once.
        guard try parts.transfers.delete(transfer.id, in: transaction) else { throw Self.missing(id) }
        let snapshots = transfer.leavesSnapshots ? [] : try parts.snapshots.of(volume.id, in: transaction)
        try claim(volume, snapshots, for: origin.project, in: transaction)
        volume.project = origin.project
        volume.user = origin.user
        volume.state.status = .available
        try parts.volumes.save(&volume, at: origin.now, in: transaction)
        // Hosts keep accounts by project.
        try parts.plans.touch(volume.key, in: transaction)
        for var snapshot in snapshots {
            snapshot.project = origin.project
            snapshot.user = origin.user
            try parts.snapshots.save(&snapshot, at: origin.now, in: transaction)
        }
        return transfer
    }

    private func claim(
        _ volume: VolumeRecord, _ snapshots: [SnapshotRecord], for project: ProjectID,
        in transaction: any SQLTransaction
    ) throws {
        guard let type = try parts.types.find(volume.type, in: transaction) else {
            throw BlockStorageError.noType(volume.type.text)
        }
        guard volume.project != project else { return }
        try parts.quotas.check(sizeGiB: volume.sizeGiB, of: project, in: transaction)
        try parts.quotas.claim("volumes", sizeGiB: volume.sizeGiB, type: type, for: project, in: transaction)
        guard !snapshots.isEmpty else { return }
        try parts.quotas.claim(
            "snapshots", count: snapshots.count, sizeGiB: snapshots.reduce(0) { $0 + $1.sizeGiB } + volume.sizeGiB,
            type: type, for: project, in: transaction)
    }

    /// - Throws: ``APIError`` 404 also for offers of other projects.
    func find(
        _ id: String, asking rule: String, by origin: Origin, in reader: any SQLReader
    ) throws -> VolumeTransfer {
        guard let uuid = VolumeTransferID(id), let transfer = try parts.transfers.find(uuid, in: reader),
            VolumeAccess.sees(origin.caller, transfer.project)
        else { throw Self.missing(id) }
        try origin.permissions.require(rule, Policy.Target(project: transfer.project))
        return transfer
    }

    private static func missing(_ id: String) -> APIError { .notFound("Transfer \(id) could not be found.") }

    private static func hash(_ key: String, salt: String) -> String {
        SHA256.hash(data: Array((salt + key).utf8)).map { byte in
            String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }.joined()
    }

    /// Takes the same time whatever the difference.
    private static func isSame(_ left: String, _ right: String) -> Bool {
        left.utf8.count == right.utf8.count
            && zip(left.utf8, right.utf8).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
