import CoordinatorFleet
import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel

/// Volumes that become images: their hosts copy what they hold and send it.
struct VolumeUploading: Sendable {
    let parts: BlockStorageParts

    struct Wish: Sendable {
        var name = ""
        /// Also of a volume that is in use, as it is at that moment.
        var isForced = false
        var format = ImageSpec.DiskFormat.raw
        var visibility = Image.Visibility.shared
        var isProtected = false
    }

    /// What the answer says.
    struct Begun: Sendable {
        var volume: VolumeRecord
        var type: VolumeType?
        var image: ImageID
    }

    /// What is known of the image that a volume was made from and says nothing of the new one.
    private static let lost: Set<String> = [
        "checksum", "container_format", "disk_format", "image_name", "image_id", "min_disk", "min_ram", "name", "size"
    ]

    func upload(
        _ id: String, _ wish: Wish, origin: Origin, in transaction: any SQLTransaction
    ) throws -> Begun {
        var volume = try VolumeAccess(parts: parts).volume(
            id, asking: "volume_extension:volume_actions:upload_image", by: origin, in: transaction)
        if wish.visibility == .public {
            try origin.require("volume_extension:volume_actions:upload_public", volume.project)
        }
        guard volume.status == .available || volume.status == .inUse, let node = volume.host?.node else {
            throw BlockStorageError.volume(
                "Volume \(volume.id) status must be available or in-use, but current status is: "
                    + "\(volume.status.rawValue).")
        }
        guard volume.status == .available || wish.isForced else {
            throw BlockStorageError.volume("Volume status is in-use.")
        }
        let image = try parts.image.reserve(
            VolumeImage(
                name: wish.name, owner: volume.project, diskFormat: wish.format.rawValue, visibility: wish.visibility,
                isProtected: wish.isProtected,
                properties: (volume.imageMetadata ?? [:]).filter { !Self.lost.contains($0.key) }),
            permissions: origin.permissions, at: origin.now, in: transaction)
        try parts.volumeFlow.begin(
            &volume, "upload_image", task: .uploading, by: origin.action, at: origin.now, in: transaction)
        volume.uploadImage = image
        // The host gives up before the watchdog does.
        let deadline = origin.now + (VolumeTask.uploading.allowedSeconds - 20) * 1_000_000
        volume.operation = try parts.operations.submit(
            .uploadVolume(volume.id, image: image, format: wish.format), on: node, deadline: deadline, in: transaction)
        try parts.volumes.save(&volume, at: origin.now, in: transaction)
        return Begun(volume: volume, type: try parts.types.find(volume.type, in: transaction), image: image)
    }

    func ended(
        _ outcome: HostedOutcome, of volume: inout VolumeRecord, in transaction: any SQLTransaction
    ) throws {
        guard outcome == .completed else { return try drop(&volume, in: transaction) }
        volume.uploadImage = nil
    }

    /// Nothing comes of the image that was under way, unless all of it is there.
    func drop(_ volume: inout VolumeRecord, in transaction: any SQLTransaction) throws {
        guard let image = volume.uploadImage else { return }
        volume.uploadImage = nil
        try parts.image.abandon(image, in: transaction)
    }
}
