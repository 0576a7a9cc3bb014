import CoordinatorPlatform
import ProtocolModel

/// An image that is to be made of a volume, as the block storage service describes it.
public struct VolumeImage: Sendable, Hashable {
    public var name: String
    public var owner: ProjectID
    /// `raw` or `qcow2`.
    public var diskFormat: String
    public var visibility: Image.Visibility
    public var isProtected: Bool
    /// What the volume has of its own image: a caller who may not set one is refused.
    public var properties: [String: String]

    public init(
        name: String, owner: ProjectID, diskFormat: String, visibility: Image.Visibility, isProtected: Bool,
        properties: [String: String]
    ) {
        self.name = name
        self.owner = owner
        self.diskFormat = diskFormat
        self.visibility = visibility
        self.isProtected = isProtected
        self.properties = properties
    }
}

/// Images of volumes: made without data, which the volume's host sends.
extension ImageService {
    public func reserve(
        _ draft: VolumeImage, permissions: Permissions, at now: Int64, in transaction: any SQLTransaction
    ) throws -> ImageID {
        let access = ImageAccess(permissions)
        var image = Image(id: ImageMark.marked(.random()), owner: access.caller.project ?? draft.owner, at: now)
        image.name = draft.name
        image.visibility = draft.visibility
        image.isProtected = draft.isProtected
        image.diskFormat = draft.diskFormat
        image.containerFormat = "bare"
        let guards = PropertyGuard(metadata.propertyProtections, permissions)
        image.properties = draft.properties.filter { name, _ in
            !name.hasPrefix(ImageFields.reservedPrefix) && !ImageFields.readOnly.contains(name)
                && !ImageFields.base.contains(name)
        }
        for name in image.properties.keys.sorted() { try guards.require(.create, name) }
        try create(image, as: access, in: transaction)
        return image.id
    }

    public func abandon(_ id: ImageID, in transaction: any SQLTransaction) throws {
        guard let image = try store.image(id, in: transaction), image.status == .queued || image.status == .saving
        else { return }
        try remove(image, in: transaction)
    }
}
