import CoordinatorPlatform
import ProtocolModel

/// Who may do what with which volume and snapshot.
struct VolumeAccess: Sendable {
    let parts: BlockStorageParts

    /// - Parameter id: As it stands in the path.
    /// - Throws: ``APIError`` 404 also for volumes of other projects, 403 where the rule refuses.
    func volume(
        _ id: String, asking rule: String, by origin: Origin, in reader: any SQLReader
    ) throws -> VolumeRecord {
        guard let uuid = VolumeID(id), let volume = try parts.volumes.find(uuid, in: reader), !volume.isDeleted,
            Self.sees(origin.caller, volume.project)
        else { throw BlockStorageError.noVolume(id) }
        try origin.permissions.require(rule, Policy.Target(project: volume.project, user: volume.user))
        return volume
    }

    func snapshot(
        _ id: String, asking rule: String, by origin: Origin, in reader: any SQLReader
    ) throws -> SnapshotRecord {
        guard let uuid = VolumeSnapshotID(id), let snapshot = try parts.snapshots.find(uuid, in: reader),
            !snapshot.isDeleted, Self.sees(origin.caller, snapshot.project)
        else { throw BlockStorageError.noSnapshot(id) }
        try origin.permissions.require(rule, Policy.Target(project: snapshot.project, user: snapshot.user))
        return snapshot
    }

    func attachment(
        _ id: String, asking rule: String, by origin: Origin, in reader: any SQLReader
    ) throws -> VolumeAttachment {
        guard let uuid = VolumeAttachmentID(id), let attachment = try parts.attachments.find(uuid, in: reader),
            Self.sees(origin.caller, attachment.project)
        else { throw BlockStorageError.noAttachment(id) }
        try origin.permissions.require(rule, Policy.Target(project: attachment.project))
        return attachment
    }

    static func sees(_ caller: Caller, _ project: ProjectID) -> Bool {
        caller.isAdmin || caller.project == project
    }
}
