import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// What a new snapshot is to be.
struct CreateSnapshot: Sendable {
    var volume = ""
    var name: String?
    var description: String?
    var metadata: [String: String] = [:]
    /// Also of an attached volume.
    var allowsInUse = false
    var group: AnyID?
}

/// Snapshots: made on their volume's host, listed, changed, removed.
struct SnapshotCommands: Sendable {
    let parts: BlockStorageParts
    private var access: VolumeAccess { VolumeAccess(parts: parts) }
    private var flow: HostedWorkflow<SnapshotHosting> { parts.snapshotFlow }

    init(parts: BlockStorageParts) { self.parts = parts }

    func create(
        _ command: CreateSnapshot, origin: Origin, in transaction: any SQLTransaction
    ) throws -> SnapshotRecord {
        let volume = try access.volume(command.volume, asking: "volume:get", by: origin, in: transaction)
        try origin.require("volume:create_snapshot", volume.project)
        return try create(command, of: volume, origin: origin, in: transaction)
    }

    func create(
        _ command: CreateSnapshot, of volume: VolumeRecord, origin: Origin, in transaction: any SQLTransaction
    ) throws -> SnapshotRecord {
        try check(volume, allowsInUse: command.allowsInUse)
        guard let type = try parts.types.find(volume.type, in: transaction) else {
            throw BlockStorageError.noType(volume.type.text)
        }
        // What is counted is counted where the volume is, whoever asked.
        try parts.quotas.claim(
            "snapshots", sizeGiB: volume.sizeGiB, type: type, for: volume.project, in: transaction)
        var snapshot = SnapshotRecord(
            id: .random(), of: volume, project: volume.project, user: origin.user, createdAt: origin.now)
        snapshot.name = command.name
        snapshot.description = command.description
        snapshot.metadata = command.metadata
        snapshot.group = command.group
        snapshot.actionID = try parts.log.begin(
            "create", on: snapshot.key, by: origin.action, at: origin.now, in: transaction)
        try flow.occupy(&snapshot, task: .creating, at: origin.now, in: transaction)
        snapshot.number = try parts.snapshots.insert(snapshot, in: transaction)
        return snapshot
    }

    private func check(_ volume: VolumeRecord, allowsInUse: Bool) throws {
        guard volume.host != nil else {
            throw BlockStorageError.volume(
                "The snapshot cannot be created because volume has not been scheduled to any host.")
        }
        switch volume.status {
        case .maintenance:
            throw BlockStorageError.volume(
                "The snapshot cannot be created when the volume is in maintenance mode.")
        case .error:
            throw BlockStorageError.volume("The snapshot cannot be created when the volume is in error status.")
        default: break
        }
        let valid: [VolumeStatus] = allowsInUse ? [.available, .inUse] : [.available]
        guard valid.contains(volume.status) else {
            throw BlockStorageError.volume(
                "Volume \(volume.id) status must be \(valid.map(\.rawValue).joined(separator: ", ")), but current "
                    + "status is: \(volume.status.rawValue).")
        }
    }

    func change(
        _ id: String, asking rule: String, origin: Origin, in transaction: any SQLTransaction,
        _ change: (inout SnapshotRecord) throws -> Void
    ) throws -> SnapshotRecord {
        var snapshot = try access.snapshot(id, asking: rule, by: origin, in: transaction)
        try change(&snapshot)
        try parts.snapshots.save(&snapshot, at: origin.now, in: transaction)
        return snapshot
    }

    func delete(_ id: String, origin: Origin, in transaction: any SQLTransaction) throws {
        let snapshot = try access.snapshot(id, asking: "volume:delete_snapshot", by: origin, in: transaction)
        guard snapshot.isDeletable, snapshot.group == nil else {
            throw BlockStorageError.snapshot(
                "Snapshot status must be available or error and must not be part of a group.")
        }
        try refuseBusy(snapshot, in: transaction)
        try remove(snapshot, isForced: false, origin: origin, in: transaction)
    }

    /// In whatever state it is; a host that is down is not waited for.
    func forceDelete(_ id: String, origin: Origin, in transaction: any SQLTransaction) throws {
        let snapshot = try access.snapshot(
            id, asking: "volume_extension:snapshot_admin_actions:force_delete", by: origin, in: transaction)
        try refuseBusy(snapshot, in: transaction)
        try remove(snapshot, isForced: true, origin: origin, in: transaction)
    }

    private func refuseBusy(_ snapshot: SnapshotRecord, in reader: any SQLReader) throws {
        guard try !parts.volumes.isBeingCloned(snapshot.id, in: reader) else {
            throw BlockStorageError.snapshot(
                "Snapshot \(snapshot.id) is being copied to a volume: delete it when the volume is there.")
        }
        if let volume = try parts.volumes.find(snapshot.volume, in: reader), volume.reversionSnapshot == snapshot.id {
            throw BlockStorageError.snapshot(
                "Volume \(volume.id) is being reverted to snapshot \(snapshot.id): delete it when that is done.")
        }
    }

    /// The same without asking anything: the snapshot goes with its volume or its project.
    func remove(
        _ snapshot: SnapshotRecord, isForced: Bool, origin: Origin, in transaction: any SQLTransaction
    ) throws {
        var snapshot = snapshot
        if snapshot.state.task == .deleting, !isForced { return }
        let node = try snapshot.host.flatMap { try parts.directory.node($0.node, in: transaction) }
        try flow.begin(&snapshot, "delete", task: .deleting, by: origin.action, at: origin.now, in: transaction)
        try flow.remove(
            &snapshot, isHostDown: isForced && node?.health == .down, at: origin.now, in: transaction)
        try parts.snapshots.save(&snapshot, at: origin.now, in: transaction)
    }

    /// Who makes a snapshot, or removes it, says how far that is: nothing but what follows from there.
    func update(
        _ id: String, to status: SnapshotStatus, progress: String?, origin: Origin, in transaction: any SQLTransaction
    ) throws {
        var snapshot = try access.snapshot(
            id, asking: "snapshot_extension:snapshot_actions:update_snapshot_status", by: origin, in: transaction)
        let next: [SnapshotStatus]
        switch snapshot.status {
        case .creating: next = [.creating, .available, .error]
        case .deleting: next = [.deleting, .errorDeleting]
        default:
            throw APIError.badRequest(
                "Snapshot status \(snapshot.status.rawValue) not allowed for update_snapshot_status")
        }
        guard next.contains(status) else {
            throw APIError.badRequest(
                "Provided snapshot status \(status.rawValue) not allowed for snapshot with status "
                    + "\(snapshot.status.rawValue).")
        }
        if status != snapshot.status {
            try flow.endTask(&snapshot, message: nil, at: origin.now, in: transaction)
            snapshot.state.status = status
        }
        if let progress { snapshot.progress = progress }
        _ = try parts.log.begin(
            "update_status", on: snapshot.key, by: origin.action, at: origin.now, in: transaction)
        try parts.snapshots.save(&snapshot, at: origin.now, in: transaction)
    }

    /// An administrator declares what a snapshot is, whatever it seems to be.
    func reset(
        _ id: String, to status: SnapshotStatus, origin: Origin, in transaction: any SQLTransaction
    ) throws {
        var snapshot = try access.snapshot(
            id, asking: "volume_extension:snapshot_admin_actions:reset_status", by: origin, in: transaction)
        let wasLeaving = snapshot.state.isLeaving
        try flow.endTask(&snapshot, message: nil, at: origin.now, in: transaction)
        snapshot.state.status = status
        // Its host was asked to remove it, and would do so yet.
        if wasLeaving, !snapshot.state.isLeaving { try flow.plan(&snapshot, in: transaction) }
        if status == .available { snapshot.fault = nil }
        _ = try parts.log.begin(
            "reset_status", on: snapshot.key, by: origin.action, at: origin.now, in: transaction)
        try parts.snapshots.save(&snapshot, at: origin.now, in: transaction)
    }
}

extension SnapshotRecord {
    /// In which states a snapshot may be deleted.
    var isDeletable: Bool { [.available, .error, .errorDeleting].contains(status) }
}
