import CoordinatorPlatform
import Logging
import ProtocolModel

/// The rules of images. Synchronous parts run inside the caller's transaction.
public struct ImageService: Sendable {
    let store = ImageStore()
    let lists = ImageListStore()
    let members = ImageMemberStore()
    let metadefs = MetadefService()
    let parts = ImagePartStore()
    let tasks = ImageTaskStore()
    let contents = ImageBlobTable()
    let blobs: BlobStore
    let database: any SQLDatabase
    let clock: any WallClock
    let logger: Logger
    let settings: ImageSettings
    let jobs: JobPort
    let metadata: ImageMetadataSettings
    let quota: ImageQuota

    /// - Throws: ``APIError`` 404 for an unknown image and for one the caller may not see.
    func find(_ id: String, caller: Caller, in reader: any SQLReader) throws -> Image {
        guard let image = try visible(id, caller: caller, in: reader) else { throw ImageError.noImage(id) }
        return image
    }

    /// `nil` also for an image that the caller may not see.
    func visible(_ id: String, caller: Caller, in reader: any SQLReader) throws -> Image? {
        guard let imageID = ImageID(id), let image = try store.image(imageID, in: reader),
            try canSee(image, caller: caller, in: reader)
        else { return nil }
        return image
    }

    /// The image, if the caller sees it and may do that with it.
    /// - Throws: ``APIError`` 404 or 403.
    func find(_ id: String, for rule: String, as access: ImageAccess, in reader: any SQLReader) throws -> Image {
        let image = try find(id, caller: access.caller, in: reader)
        try access.require(rule, on: image)
        return image
    }

    private func canSee(_ image: Image, caller: Caller, in reader: any SQLReader) throws -> Bool {
        if ImagePolicy.canSee(image, caller: caller, isMember: false) { return true }
        // The list of members is read only where it decides.
        guard ImagePolicy.canSee(image, caller: caller, isMember: true), let project = caller.project else {
            return false
        }
        return try members.member(image.id, project.compact, in: reader) != nil
    }

    /// - Parameter marker: The image after which the page begins.
    /// - Returns: What the caller sees of a page, and how much there is of it.
    /// - Throws: `UnknownMarker`
    func list(
        _ listing: ImageListing, after marker: String?, as access: ImageAccess, in reader: any SQLReader
    ) throws -> (images: [Image], count: Int) {
        var listing = listing
        if let marker {
            listing.marker = try visible(marker, caller: access.caller, in: reader)
            guard listing.marker != nil else { throw UnknownMarker(marker: marker) }
        }
        let page = try lists.page(listing, in: reader)
        return (access.shown(page), page.count)
    }

    func create(_ image: Image, as access: ImageAccess, in transaction: any SQLTransaction) throws {
        guard access.allows("add_image", on: image) else {
            guard image.owner == access.caller.project else {
                throw APIError.forbidden(
                    "You are not permitted to create images owned by '\(image.owner?.compact ?? "None")'.")
            }
            throw ImageError.notAllowed("add_image")
        }
        try requireVisibility(image, as: access)
        try requireRoom(for: image)
        try requireChoice(of: image, in: transaction)
        try quota.require(.count, project: image.owner, adding: 1, in: transaction)
        do {
            try store.insert(image, in: transaction)
        } catch StoreError.duplicate {
            throw Self.taken(image.id)
        }
    }

    static func taken(_ id: ImageID) -> APIError { .conflict("Image ID \(id) already exists!") }

    /// Each id that a client chose is remembered for ever once its image is gone, so their number has a bound.
    private func requireChoice(of image: Image, in reader: any SQLReader) throws {
        guard !ImageMark.has(image.id), try store.formerIDs(of: image.owner, in: reader) >= ImageStore.mostFormerIDs
        else { return }
        throw APIError.forbidden(
            "This project chose ids for \(ImageStore.mostFormerIDs) images that are deleted: leave 'id' out of the request.")
    }

    /// Applies `change` to the image and writes it back.
    func update(
        _ id: String, for rule: String = "modify_image", as access: ImageAccess, at now: Int64,
        in transaction: any SQLTransaction, change: (inout Image) throws -> Void
    ) throws -> Image {
        let before = try find(id, for: rule, as: access, in: transaction)
        var image = before
        try change(&image)
        if image.visibility != before.visibility { try requireVisibility(image, as: access) }
        if image.owner != before.owner {
            guard access.caller.isAdmin else { throw APIError.forbidden("Owner can't be updated by non admin.") }
            try quota.require(.count, project: image.owner, adding: 1, in: transaction)
        }
        try requireRoom(for: image)
        image.updatedAt = now
        try store.update(image, in: transaction)
        image.generation += 1
        return image
    }

    private func requireVisibility(_ image: Image, as access: ImageAccess) throws {
        let rule: String? =
            switch image.visibility {
            case .public: "publicize_image"
            case .community: "communitize_image"
            case .private, .shared: nil
            }
        if let rule, !access.allows(rule, on: image) { throw ImageError.notAllowed(rule) }
    }

    private func requireRoom(for image: Image) throws {
        let properties = image.properties.keys.count { !$0.hasPrefix(ImageFields.reservedPrefix) }
        guard properties <= metadata.propertyLimit else {
            throw ImageError.tooMany("properties", attempted: properties, maximum: metadata.propertyLimit)
        }
        let bytes = image.properties.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        guard bytes <= metadata.propertyByteLimit else {
            throw ImageError.tooMany("property bytes", attempted: bytes, maximum: metadata.propertyByteLimit)
        }
        guard image.tags.count <= metadata.tagLimit else {
            throw ImageError.tooMany("tags", attempted: image.tags.count, maximum: metadata.tagLimit)
        }
    }

    func delete(_ id: String, as access: ImageAccess, in transaction: any SQLTransaction) throws {
        guard let image = try visible(id, caller: access.caller, in: transaction) else {
            throw APIError.notFound("Failed to find image \(id) to delete")
        }
        try access.require("delete_image", on: image)
        guard !image.isProtected else {
            throw APIError.forbidden("Image \(image.id) is protected and cannot be deleted.")
        }
        try remove(image, in: transaction)
    }

    /// The row and what hangs on it at once, the content once nobody needs it.
    func remove(_ image: Image, in transaction: any SQLTransaction) throws {
        try store.delete(image.id, of: image.owner, in: transaction)
        try parts.drop(image: image.id, in: transaction)
        // One under way ends by its job, which finds no image.
        let now = clock.now()
        try tasks.endPending(
            of: image.id, message: "the image was deleted", at: now,
            expires: now + settings.taskSeconds * 1_000_000, in: transaction)
        let service = self
        transaction.afterCommit { Task { await service.sweep() } }
    }

    /// Takes an active image out of use, or back in. What is there already stays.
    func move(
        _ id: String, from old: Image.Status, to new: Image.Status, for rule: String, as access: ImageAccess,
        at now: Int64, in transaction: any SQLTransaction
    ) throws {
        let image = try find(id, for: rule, as: access, in: transaction)
        guard image.status != new else { return }
        guard image.status == old, try store.move(image.id, from: old, to: new, at: now, in: transaction) else {
            throw APIError.forbidden("Not allowed to \(rule) image in status '\(image.status.rawValue)'")
        }
    }

    /// An image is always in one store at least, so there is nothing that could be taken away.
    func refuseDeletion(
        of id: String, from store: String, as access: ImageAccess, in reader: any SQLReader
    ) throws -> APIError {
        let image = try find(id, for: "delete_image_location", as: access, in: reader)
        guard image.status == .active else {
            return .conflict("Image status must be active to delete its location, it is \(image.status.rawValue).")
        }
        guard store == Self.storeID else { return .notFound("Image \(image.id) is not stored on store \(store).") }
        return .forbidden("Cannot delete the last location of image \(image.id): delete the image instead.")
    }

    // MARK: - Data

    /// An image whose data the caller may have, and how much there is of data that is still coming in.
    /// - Throws: ``APIError`` 404, 403 or 410.
    func downloadable(
        _ id: String, as access: ImageAccess, in reader: any SQLReader
    ) throws -> (image: Image, offset: Int64?) {
        let image = try find(id, caller: access.caller, in: reader)
        guard image.status != .deactivated || access.caller.isAdmin else {
            throw APIError.forbidden("The requested image has been deactivated. Image data download is forbidden.")
        }
        try access.require("download_image", on: image)
        guard try image.sha512.flatMap({ try contents.damage(of: $0, in: reader) }) == nil else {
            throw ImageError.damaged(id)
        }
        return (image, try offset(of: image.id, .upload, in: reader))
    }

    /// Removes contents that no image has any more, and parts that are nobody's.
    package func sweep() async {
        do {
            try await blobs.sweep { [store, parts, database] in
                try await database.read { try store.hashes(in: $0).union(parts.files(in: $0)) }
            }
        } catch {
            logger.error("image contents could not be swept", metadata: ["error": "\(error)"])
        }
    }

    /// Called once at start: ends uploads that a crash cut off and removes what they left.
    public func recover() async throws {
        try await recoverData()
        try await loadMetadefs()
    }
}
