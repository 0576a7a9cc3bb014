import CoordinatorPlatform
import Logging
import ProtocolModel

/// The rules of images. Synchronous parts run inside the caller's transaction.
public struct ImageService: Sendable {
    let store = ImageStore()
    let blobs: BlobStore
    let database: any SQLDatabase
    let clock: any WallClock
    let logger: Logger
    /// The largest upload taken, bytes.
    let sizeLimit: Int64

    init(blobs: BlobStore, database: any SQLDatabase, clock: any WallClock, sizeLimit: Int64, logger: Logger) {
        self.blobs = blobs
        self.database = database
        self.clock = clock
        self.sizeLimit = sizeLimit
        self.logger = logger
    }

    /// - Throws: ``APIError`` 404 for an unknown image and for one the caller may not see.
    func find(_ id: String, caller: Caller, in reader: any SQLReader) throws -> Image {
        guard let imageID = ImageID(id), let image = try store.image(imageID, in: reader),
            ImagePolicy.canSee(image, caller: caller)
        else { throw ImageError.noImage(id) }
        return image
    }

    func create(_ image: Image, caller: Caller, in transaction: any SQLTransaction) throws {
        guard ImagePolicy.canWrite(caller) else {
            throw APIError.forbidden("You are not authorized to complete add_image action.")
        }
        try ImagePolicy.requireVisibility(image.visibility, caller: caller)
        if image.owner != caller.project, !caller.isAdmin {
            throw APIError.forbidden("You are not permitted to create images owned by '\(image.owner?.compact ?? "")'.")
        }
        do {
            try store.insert(image, in: transaction)
        } catch StoreError.duplicate {
            throw APIError.conflict("Image ID \(image.id) already exists!")
        }
    }

    /// Applies `change` to the image and writes it back.
    func update(
        _ id: String, caller: Caller, at now: Int64, in transaction: any SQLTransaction,
        change: (inout Image) throws -> Void
    ) throws -> Image {
        let before = try find(id, caller: caller, in: transaction)
        try ImagePolicy.requireChange(before, caller: caller)
        var image = before
        try change(&image)
        if image.visibility != before.visibility {
            try ImagePolicy.requireVisibility(image.visibility, caller: caller)
        }
        if image.owner != before.owner, !caller.isAdmin {
            throw APIError.forbidden("Owner can't be updated by non admin.")
        }
        image.updatedAt = now
        try store.update(image, in: transaction)
        image.generation += 1
        return image
    }

    func delete(_ id: String, caller: Caller, in transaction: any SQLTransaction) throws {
        let image: Image
        do {
            image = try find(id, caller: caller, in: transaction)
        } catch is APIError {
            throw APIError.notFound("Failed to find image \(id) to delete")
        }
        try ImagePolicy.requireChange(image, caller: caller)
        guard !image.isProtected else {
            throw APIError.forbidden("Image \(image.id) is protected and cannot be deleted.")
        }
        try store.delete(image.id, in: transaction)
        let service = self
        transaction.afterCommit { Task { await service.sweep() } }
    }

    /// Removes contents that no image has any more.
    func sweep(includingUploads: Bool = false) async {
        do {
            try await blobs.sweep(includingUploads: includingUploads) { [store, database] in
                try await database.read { try store.hashes(in: $0) }
            }
        } catch {
            logger.error("image contents could not be swept", metadata: ["error": "\(error)"])
        }
    }

    /// Called once at start: ends uploads that a crash cut off and removes what they left.
    public func recover() async throws {
        let now = clock.now()
        let requeued = try await database.write { [store] in try store.requeueUploads(at: now, in: $0) }
        if requeued > 0 {
            logger.notice("uploads cut off by a crash are queued again", metadata: ["images": "\(requeued)"])
        }
        await sweep(includingUploads: true)
    }
}
