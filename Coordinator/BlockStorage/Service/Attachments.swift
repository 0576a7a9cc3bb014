import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// Who holds which volume. Whoever changes that writes the volume's row with the generation that it read, so that no two
/// ever get hold of one that may be held once.
struct Attachments: Sendable {
    let parts: BlockStorageParts

    /// Reserves the volume.
    /// - Throws: ``APIError`` 400 unless it is free, or for several at once; 403 for a bootable one of those.
    func reserve(
        _ volume: inout VolumeRecord, _ attachment: VolumeAttachment, origin: Origin,
        in transaction: any SQLTransaction
    ) throws -> VolumeAttachment {
        if volume.isMultiattach, volume.status == .inUse, volume.isBootable {
            try origin.require("volume:multiattach_bootable_volume", volume.project)
        }
        guard volume.state.status != .error, volume.state.status != .errorDeleting else {
            throw BlockStorageError.volume(
                "Volume attachments can not be created if the volume is in an error state. The Volume \(volume.id) "
                    + "currently has a status of: \(volume.status.rawValue) ")
        }
        // The disks of pools are qcow2 files: a second guest that writes to one would corrupt it.
        let mayShare = volume.isMultiattach && !attachment.isManaged
        let free: [VolumeStatus] = mayShare ? [.available, .inUse] : [.available]
        guard free.contains(volume.status) else {
            let words = free.map(\.rawValue) + ["downloading"]
            throw BlockStorageError.volume(
                "Volume \(volume.id) status must be \(BlockStorageError.alternatives(words)) to reserve, but the "
                    + "current status is \(volume.status.rawValue).")
        }
        try refuseTwice(volume, attachment.server, mayShare: mayShare, in: transaction)
        return try hold(&volume, attachment, at: origin.now, in: transaction)
    }

    /// One server holds a volume once, and whatever an administrator declared a volume to be, one that is not for several
    /// is held once.
    private func refuseTwice(
        _ volume: VolumeRecord, _ server: ServerID?, mayShare: Bool, in reader: any SQLReader
    ) throws {
        let held = try parts.attachments.of(volume.id, in: reader)
        let isOwn = server != nil && held.contains { $0.server == server }
        let isAlone = !mayShare || held.contains(where: \.isManaged)
        guard let other = held.first, isOwn || isAlone else { return }
        throw BlockStorageError.volume(
            "Volume \(volume.id) is already attached to instance \(other.server?.text ?? "of another cloud").")
    }

    /// Attachments of one volume.
    private static let most = 64

    /// Writes the attachment and what follows for the volume, in the state that it is in.
    func hold(
        _ volume: inout VolumeRecord, _ attachment: VolumeAttachment, at now: Int64,
        in transaction: any SQLTransaction
    ) throws -> VolumeAttachment {
        var attachment = attachment
        if volume.isReadOnly == true { attachment.mode = .readOnly }
        guard try parts.attachments.of(volume.id, in: transaction).count < Self.most else {
            throw BlockStorageError.volume("Volume \(volume.id) has as many attachments as it may have.")
        }
        try parts.attachments.insert(attachment, in: transaction)
        try settle(&volume, at: now, in: transaction)
        return attachment
    }

    /// What the volume is follows from its attachments, unless something is wrong with it.
    func settle(_ volume: inout VolumeRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        let usual: [VolumeStatus] = [.available, .reserved, .attaching, .inUse, .detaching]
        if usual.contains(volume.state.status) {
            volume.state.status = VolumeStatus.of(
                try parts.attachments.of(volume.id, in: transaction).map(\.status))
        }
        try parts.volumes.save(&volume, at: now, in: transaction)
    }

    /// Ends an attachment, and with it the way on which another host reached the volume.
    func end(
        _ attachment: VolumeAttachment, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        try parts.attachments.delete(attachment.id, in: transaction)
        guard var volume = try parts.volumes.find(attachment.volume, in: transaction), !volume.isDeleted else { return }
        try export(&volume, ifOther: attachment.node, in: transaction)
        try settle(&volume, at: now, in: transaction)
    }

    /// Tells the volume's host anew which others reach it.
    func export(
        _ volume: inout VolumeRecord, ifOther node: NodeID?, in transaction: any SQLTransaction
    ) throws {
        guard let node, let host = volume.host, host.node != node, !volume.state.isLeaving else { return }
        try parts.volumeFlow.plan(&volume, in: transaction)
    }
}
