import CoordinatorPlatform
import ProtocolModel

/// Attachments that callers keep account of themselves.
extension Attachments {
    func reserveByHand(
        _ volume: inout VolumeRecord, origin: Origin, in transaction: any SQLTransaction
    ) throws {
        let free: [VolumeStatus] = volume.isMultiattach ? [.available, .inUse] : [.available]
        guard free.contains(volume.status) else {
            throw BlockStorageError.volume(
                "Volume status must be \(BlockStorageError.alternatives(free.map(\.rawValue))) to reserve, but the "
                    + "status is \(volume.status.rawValue).")
        }
        volume.state.status = .attaching
        try parts.volumes.save(&volume, at: origin.now, in: transaction)
    }

    /// Nothing happens to what was not reserved.
    func unreserveByHand(_ volume: inout VolumeRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        guard volume.status == .attaching else { return }
        try settle(&volume, at: now, in: transaction)
    }

    func beginByHand(_ volume: inout VolumeRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        let held = try parts.attachments.of(volume.id, in: transaction)
        if let managed = held.first(where: \.isManaged) { throw BlockStorageError.usedByServer(managed.server) }
        guard volume.status == .inUse, held.contains(where: { $0.status == .attached }) else {
            throw BlockStorageError.volume(
                "Unable to detach volume. Volume status must be 'in-use' and attach_status must be 'attached' to detach."
            )
        }
        volume.state.status = .detaching
        try parts.volumes.save(&volume, at: now, in: transaction)
    }

    func rollByHand(_ volume: inout VolumeRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        guard volume.status == .detaching else { return }
        try settle(&volume, at: now, in: transaction)
    }

    func attachByHand(
        _ volume: inout VolumeRecord, _ wish: HandAttachment, origin: Origin, in transaction: any SQLTransaction
    ) throws {
        let held = try parts.attachments.of(volume.id, in: transaction)
        if volume.isReadOnly == true, wish.mode != "ro" {
            throw APIError.badRequest("Invalid attaching mode '\(wish.mode)' for volume \(volume.id).")
        }
        // Reserved by hand, or free; never what a server has reserved or holds alone.
        let isReserved = volume.status == .attaching && !held.contains { $0.status != .attached }
        let isFree = volume.status == .available || (volume.status == .inUse && volume.isMultiattach)
        let isOpen = held.isEmpty || (volume.isMultiattach && !held.contains(where: \.isManaged))
        guard isFree || isReserved, isOpen else {
            throw APIError.badRequest(
                "Error attaching volume - InvalidVolume: Invalid volume: "
                    + (volume.status == .inUse ? "volume is already attached" : "status must be available or attaching")
            )
        }
        var attachment = VolumeAttachment(
            id: .random(), volume: volume.id, project: volume.project, server: wish.server.flatMap { ServerID($0) },
            status: .attached, mode: wish.mode == "ro" ? .readOnly : .readWrite, isManaged: false,
            createdAt: origin.now)
        attachment.hostname = wish.hostname
        attachment.device = wish.device
        attachment.attachedAt = origin.now
        _ = try hold(&volume, attachment, at: origin.now, in: transaction)
    }

    /// - Parameter id: Which one; `nil` where there is only one.
    func detachByHand(
        _ volume: inout VolumeRecord, _ id: String?, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        let held = try parts.attachments.of(volume.id, in: transaction)
        let chosen: VolumeAttachment?
        if let id {
            chosen = held.first { $0.id == VolumeAttachmentID(id) }
            if chosen == nil { throw BlockStorageError.noAttachment(id) }
        } else {
            guard held.count <= 1 else {
                throw BlockStorageError.volume(
                    "Detach volume failed: More than one attachment, but no attachment_id provided.")
            }
            chosen = held.first
        }
        if let chosen {
            guard !chosen.isManaged else { throw BlockStorageError.usedByServer(chosen.server) }
            try parts.attachments.delete(chosen.id, in: transaction)
            // Whatever it was declared to be meanwhile: its data are where they were.
            if volume.state.status == .error, volume.host != nil, volume.fault == nil {
                volume.state.status = .available
            }
        }
        try settle(&volume, at: now, in: transaction)
    }
}
