import CoordinatorPlatform
import ProtocolModel

/// An image that is to be made of a server, as the compute service describes it.
public struct ServerImage: Sendable, Hashable {
    public var name: String
    public var server: ServerID
    public var owner: ProjectID
    public var minDiskGiB: Int
    public var minMemoryMiB: Int
    public var properties: [String: String]
    /// The caller's own, which go before the others: a caller who may not set one is refused.
    public var given: [String: String]

    public init(
        name: String, server: ServerID, owner: ProjectID, minDiskGiB: Int, minMemoryMiB: Int,
        properties: [String: String], given: [String: String]
    ) {
        self.name = name
        self.server = server
        self.owner = owner
        self.minDiskGiB = minDiskGiB
        self.minMemoryMiB = minMemoryMiB
        self.properties = properties
        self.given = given
    }
}

/// Images of servers: made without data, which a server's host sends.
extension ImageService {
    public func reserve(
        _ draft: ServerImage, permissions: Permissions, at now: Int64, in transaction: any SQLTransaction
    ) throws -> ImageID {
        let access = ImageAccess(permissions)
        var image = Image(id: ImageMark.marked(.random()), owner: access.caller.project ?? draft.owner, at: now)
        // Whoever makes one of another project's server shares it with that.
        let isOwn = image.owner == draft.owner
        image.name = draft.name
        image.visibility = isOwn ? .private : .shared
        image.diskFormat = "qcow2"
        image.containerFormat = "bare"
        image.minDiskGiB = draft.minDiskGiB
        image.minMemoryMiB = draft.minMemoryMiB
        let guards = PropertyGuard(metadata.propertyProtections, permissions)
        for name in draft.given.keys.sorted() {
            guard !ImageFields.readOnly.contains(name), !ImageFields.base.contains(name) else {
                throw APIError.forbidden("Attribute '\(name)' is read-only.")
            }
            try ImageFields.refuseReserved(name)
            try guards.require(.create, name)
        }
        image.properties = draft.properties.merging(draft.given) { _, given in given }
        try create(image, as: access, in: transaction)
        if !isOwn {
            try members.insert(
                ImageMember(
                    image: image.id, member: draft.owner.compact, status: .accepted, createdAt: now, updatedAt: now),
                in: transaction)
        }
        return image.id
    }

    public func discard(_ id: ImageID, in transaction: any SQLTransaction) throws {
        // One that its owner protected is kept, whatever it was made for.
        guard let image = try store.image(id, in: transaction), !image.isProtected else { return }
        try remove(image, in: transaction)
    }

    public func backups(
        of server: ServerID, type: String, owner: ProjectID, in reader: any SQLReader
    ) throws -> [ImageID] {
        var listing = ImageListing(viewer: .administrator(owner), limit: 1000)
        listing.visibility = .all
        listing.filters = [
            .text(.owner, anyOf: [owner.compact]), .property(name: "image_type", value: "backup"),
            .property(name: "backup_type", value: type), .property(name: "instance_uuid", value: server.text)
        ]
        return try lists.page(listing, in: reader).filter { !$0.isProtected }.map(\.id)
    }
}
