import CoordinatorFleet
import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

/// What users do with volumes that exist.
struct VolumeCommands: Sendable {
    let parts: BlockStorageParts
    private var access: VolumeAccess { VolumeAccess(parts: parts) }
    private var flow: HostedWorkflow<VolumeHosting> { parts.volumeFlow }

    init(parts: BlockStorageParts) { self.parts = parts }

    struct Update: Sendable {
        /// `.some(nil)` removes it.
        var name: String??
        var description: String??
        var metadata: [String: String]?
    }

    func update(
        _ id: String, _ update: Update, origin: Origin, in transaction: any SQLTransaction
    ) throws -> VolumeRecord {
        try change(id, asking: "volume:update", origin: origin, in: transaction) { volume in
            if volume.status == .maintenance {
                throw BlockStorageError.volume("The volume cannot be updated during maintenance.")
            }
            if let name = update.name { volume.name = name }
            if let description = update.description { volume.description = description }
            if let metadata = update.metadata { volume.metadata = metadata }
        }
    }

    /// A change of the row that no host has to know of.
    func change(
        _ id: String, asking rule: String, origin: Origin, in transaction: any SQLTransaction,
        _ change: (inout VolumeRecord) throws -> Void
    ) throws -> VolumeRecord {
        var volume = try access.volume(id, asking: rule, by: origin, in: transaction)
        try change(&volume)
        try parts.volumes.save(&volume, at: origin.now, in: transaction)
        return volume
    }

    // MARK: Deleting

    /// In which states a volume may be deleted.
    private static let deletable: [VolumeStatus] = [
        .available, .error, .errorRestoring, .errorExtending, .errorDeleting
    ]

    /// - Parameters:
    ///   - cascades: Its snapshots go with it.
    ///   - isForced: In whatever state it is; a host that is down is not waited for.
    func delete(
        _ id: String, cascades: Bool, isForced: Bool, rule: String = "volume:delete", origin: Origin,
        in transaction: any SQLTransaction
    ) throws {
        let volume = try access.volume(id, asking: rule, by: origin, in: transaction)
        if isForced { try origin.require("volume:force_delete", volume.project) }
        try delete(volume, cascades: cascades, isForced: isForced, origin: origin, in: transaction)
    }

    /// The same without asking any rule: the volume goes with its project or its server.
    func delete(
        _ volume: VolumeRecord, cascades: Bool, isForced: Bool, origin: Origin, in transaction: any SQLTransaction
    ) throws {
        var volume = volume
        let attachments = try parts.attachments.of(volume.id, in: transaction)
        let snapshots = try parts.snapshots.of(volume.id, in: transaction)
        let undeletable = snapshots.contains { !cascades || (!isForced && !$0.isDeletable) }
        let isMovable = isForced || Self.deletable.contains(volume.status)
        // An attachment that a server's plan follows is never pulled away.
        let isHeld = attachments.contains { $0.isManaged || !isForced }
        // Those that stayed with the one who gave the volume away.
        let isForeign = snapshots.contains { $0.project != volume.project }
        guard isMovable, !isHeld, !undeletable, !isForeign, volume.group == nil else {
            let words = ["available", "error", "error_restoring", "error_extending", "error_managing"]
            let status = isForced ? "" : "status must be \(BlockStorageError.alternatives(words)) and "
            throw BlockStorageError.volume(
                "Volume \(status)must not be migrating, attached, belong to a group, have snapshots, awaiting a "
                    + "transfer, or be disassociated from snapshots after volume transfer.")
        }
        guard try isForced || !parts.volumes.isBeingCloned(volume.id, in: transaction) else {
            throw BlockStorageError.volume("Volume \(volume.id) is being copied: delete it when the copies are there.")
        }
        if volume.state.task == .deleting, !isForced { return }
        try parts.attachments.deleteAll(of: volume.id, in: transaction)
        try parts.transfers.deleteAll(of: volume.id, in: transaction)
        for snapshot in snapshots {
            try SnapshotCommands(parts: parts).remove(
                snapshot, isForced: isForced, origin: origin, in: transaction)
        }
        try VolumeUploading(parts: parts).drop(&volume, in: transaction)
        let isDown = try isForced && isHostDown(of: volume, in: transaction)
        try flow.begin(&volume, "delete", task: .deleting, by: origin.action, at: origin.now, in: transaction)
        try flow.remove(&volume, isHostDown: isDown, at: origin.now, in: transaction)
        try parts.volumes.save(&volume, at: origin.now, in: transaction)
    }

    private func isHostDown(of volume: VolumeRecord, in reader: any SQLReader) throws -> Bool {
        guard let node = volume.host?.node else { return false }
        return try parts.directory.node(node, in: reader)?.health == .down
    }

    // MARK: Changing on the host

    /// - Parameter allowsInUse: From the version on that extends attached volumes.
    func extend(
        _ id: String, to size: Int, allowsInUse: Bool, origin: Origin, in transaction: any SQLTransaction
    ) throws {
        var volume = try access.volume(id, asking: "volume:extend", by: origin, in: transaction)
        let isInUse = allowsInUse && volume.status == .inUse
        if isInUse { try origin.require("volume:extend_attached_volume", volume.project) }
        guard size > volume.sizeGiB else {
            throw BlockStorageError.input(
                "New size for extend must be greater than current size. (current: \(volume.sizeGiB), extended: "
                    + "\(size)).")
        }
        guard volume.status == .available || isInUse, volume.host != nil else {
            throw BlockStorageError.volume(
                "Volume \(volume.id) status must be '{'status': 'available'}' to extend, currently "
                    + "\(volume.status.rawValue).")
        }
        guard let type = try parts.types.find(volume.type, in: transaction) else {
            throw BlockStorageError.noType(volume.type.text)
        }
        try parts.quotas.check(sizeGiB: size, of: volume.project, in: transaction)
        try parts.quotas.claim(
            gigabytes: size - volume.sizeGiB, type: type, for: volume.project, in: transaction)
        try flow.begin(&volume, "extend", task: .extending, by: origin.action, at: origin.now, in: transaction)
        guard
            try parts.placement.resize(
                volume.id.cast(), ResourceClass.volumes(in: volume.pool), to: size, at: origin.now, in: transaction)
        else {
            throw BlockStorageError.volume(
                "Pool \(volume.pool) has no room for \(size - volume.sizeGiB) GB more: use another pool, or a smaller "
                    + "size.")
        }
        volume.wantedGiB = size
        volume.claimedGiB = size
        try flow.plan(&volume, in: transaction)
        try parts.volumes.save(&volume, at: origin.now, in: transaction)
    }

    /// Back to the newest snapshot.
    func revert(_ id: String, to snapshot: String?, origin: Origin, in transaction: any SQLTransaction) throws {
        var volume = try access.volume(id, asking: "volume:revert_to_snapshot", by: origin, in: transaction)
        guard let newest = try parts.snapshots.of(volume.id, in: transaction).last, newest.project == volume.project
        else {
            throw APIError.badRequest("Volume \(volume.id) doesn't have any snapshots.")
        }
        guard let snapshot, VolumeSnapshotID(snapshot) == newest.id else {
            throw APIError.badRequest(
                "Specified snapshot \(snapshot ?? "None") is None or not the latest one of volume \(volume.id).")
        }
        guard volume.sizeGiB == newest.sizeGiB else {
            throw APIError.badRequest(
                "Can't revert volume \(volume.id) to its latest snapshot \(newest.id). The volume size must be equal "
                    + "to the snapshot size.")
        }
        guard volume.status == .available else {
            throw APIError.conflict(
                "Invalid volume: Can't revert volume \(volume.id) to its latest snapshot \(newest.id). Volume's status "
                    + "must be 'available'.")
        }
        guard newest.status == .available else {
            throw APIError.conflict(
                "Invalid snapshot: Can't revert volume \(volume.id) to its latest snapshot \(newest.id). Snapshot's "
                    + "status must be 'available'.")
        }
        try flow.begin(&volume, "revert", task: .reverting, by: origin.action, at: origin.now, in: transaction)
        volume.reversionVersion += 1
        volume.reversionSnapshot = newest.id
        try flow.plan(&volume, in: transaction)
        try parts.volumes.save(&volume, at: origin.now, in: transaction)
    }

    // MARK: Administrators

    /// An administrator declares what a volume is, whatever it seems to be.
    func reset(
        _ id: String, to status: VolumeStatus?, origin: Origin, in transaction: any SQLTransaction
    ) throws {
        var volume = try access.volume(
            id, asking: "volume_extension:volume_admin_actions:reset_status", by: origin, in: transaction)
        guard let status else { return }
        let wasLeaving = volume.state.isLeaving
        try flow.endTask(&volume, message: nil, at: origin.now, in: transaction)
        try VolumeUploading(parts: parts).drop(&volume, in: transaction)
        volume.state.status = status
        // Its host was asked to remove it, and would do so yet.
        if wasLeaving, !volume.state.isLeaving { try flow.plan(&volume, in: transaction) }
        if status == .available { volume.fault = nil }
        _ = try parts.log.begin(
            "reset_status", on: volume.key, by: origin.action, at: origin.now, in: transaction)
        try parts.volumes.save(&volume, at: origin.now, in: transaction)
    }

    func setReadOnly(
        _ id: String, _ isReadOnly: Bool, origin: Origin, in transaction: any SQLTransaction
    ) throws {
        _ = try change(id, asking: "volume:update_readonly_flag", origin: origin, in: transaction) { volume in
            guard volume.status == .available else {
                throw BlockStorageError.volume(
                    "Volume \(volume.id) status must be available to update readonly flag, but current status is: "
                        + "\(volume.status.rawValue).")
            }
            volume.isReadOnly = isReadOnly
        }
    }
}
