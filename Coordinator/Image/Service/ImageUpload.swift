import CoordinatorPlatform
import NIOCore
import ProtocolModel

/// Taking an image's data in: `PUT .../file`, which makes the image active, and `PUT .../stage`, which keeps the data
/// for an import.
///
/// QUEUED -> SAVING or UPLOADING by one conditional write, so of two senders one wins. Every way out is here, and
/// ``ImageService/recover()`` covers a crash. What a broken connection left is kept for a while: a client that asks
/// `GET .../file` (or `/stage`) learns from `Upload-Offset` how much there is, and goes on behind it with
/// `Content-Range: bytes FIRST-LAST/TOTAL`. A client that knows nothing of this begins anew.
extension ImageService {
    enum Progress: Sendable, Equatable {
        case whole
        /// There is more to come; so many bytes are here.
        case partial(Int64)
    }

    /// Bytes of the image that a client may go on behind.
    func offset(of image: ImageID, _ kind: ImagePart.Kind, in reader: any SQLReader) throws -> Int64? {
        try parts.part(of: image, kind, in: reader)?.sizeBytes
    }

    /// The image takes data in from now on.
    /// - Parameter first: Where in the image the data begins; behind what is here of it.
    /// - Returns: What ``receive(_:into:isEnd:announced:at:)`` goes on with.
    func beginUpload(
        _ id: String, _ kind: ImagePart.Kind, from first: Int64, as access: ImageAccess, at now: Int64,
        in transaction: any SQLTransaction
    ) throws -> ImagePart {
        let image = try find(id, caller: access.caller, in: transaction)
        try access.require(kind == .upload ? "upload_image" : "modify_image", on: image)
        let kept = try parts.part(of: image.id, kind, in: transaction)
        try quota.require(
            kind == .upload ? .size : .staged, project: image.owner, adding: 0, besides: kept?.sizeBytes ?? 0,
            in: transaction)
        guard kind == .stage || (image.diskFormat != nil && image.containerFormat != nil) else {
            throw APIError.badRequest("Properties disk_format, container_format must be set prior to saving data.")
        }
        guard try store.move(image.id, from: .queued, to: kind.busy, at: now, in: transaction) else {
            throw APIError.conflict(
                "Image status transition from \(image.status.rawValue) to \(kind.busy.rawValue) is not allowed")
        }
        // By now the image counts itself.
        try quota.require(.uploading, project: image.owner, adding: 0, in: transaction)
        if first > 0 {
            guard var part = kept, part.sizeBytes == first, !part.isComplete else {
                throw Self.wrongOffset(first, kept: kept?.sizeBytes ?? 0)
            }
            part.updatedAt = now
            try parts.put(part, in: transaction)
            return part
        }
        let part = ImagePart(
            image: image.id, kind: kind, file: ImagePart.newFile(.random()), sizeBytes: 0, isComplete: false,
            updatedAt: now)
        try parts.put(part, in: transaction)
        if let kept { transaction.afterCommit { [blobs] in Task { await blobs.remove(part: kept.file) } } }
        return part
    }

    /// Takes the data itself in.
    /// - Parameters:
    ///   - isEnd: Whether nothing comes behind this.
    ///   - announced: Its length as the client says, bytes.
    func receive(
        _ body: any ChunkSource, into part: ImagePart, isEnd: Bool, announced: Int64?, at now: Int64
    ) async throws -> Progress {
        // Tells upkeep that somebody is at it, to the very end of this.
        blobs.pin(part.file)
        defer { blobs.unpin(part.file) }
        let writer = BlobWriter(store: blobs, file: part.file) { [parts, database, clock] durable in
            let now = clock.now()
            _ = try? await database.write {
                try parts.advance(file: part.file, to: durable, at: now, in: $0)
            }
        }
        do {
            if part.sizeBytes > 0 { try await writer.resume(at: part.sizeBytes) }
            try await pull(body, announced: announced, into: writer, from: part.sizeBytes)
            guard isEnd else {
                let size = try await writer.settle()
                try await leave(part, at: size)
                return .partial(size)
            }
            let content = try await writer.finish()
            if part.kind == .upload {
                try await accept(content, part: part, at: now)
            } else {
                try await keep(content, part: part, at: now)
            }
            return .whole
        } catch {
            // Not a part of the request's task: that one may have been cancelled with its connection.
            await Task { await giveUp(part, writer: writer, error: error) }.value
            throw Self.refusal(error, image: part.image)
        }
    }

    private func pull(
        _ body: any ChunkSource, announced: Int64?, into writer: BlobWriter, from offset: Int64
    ) async throws {
        var count: Int64 = 0
        var chunks: [ByteBuffer] = []
        do {
            try await body.forEachChunk { chunk in
                count += Int64(chunk.readableBytes)
                guard offset + count <= settings.sizeLimit else {
                    throw APIError(
                        status: 413,
                        message: "Denying attempt to upload image larger than \(settings.sizeLimit) bytes.")
                }
                chunks.append(chunk)
                guard chunks.count >= 4 else { return }
                try await writer.append(chunks)
                chunks.removeAll(keepingCapacity: true)
            }
        } catch {
            // What came before the break counts.
            try await writer.append(chunks)
            throw error
        }
        try await writer.append(chunks)
        // A connection that ends early must not pass for a short image.
        guard let announced, announced != count else { return }
        throw CutOff(expected: announced, got: count)
    }

    /// The body was not as long as announced.
    struct CutOff: Error {
        var expected: Int64
        var got: Int64
    }

    /// Whole data for an import.
    private func keep(_ received: BlobWriter.Result, part: ImagePart, at now: Int64) async throws {
        let isKept = try await database.write { [store, parts] transaction in
            // Deleted meanwhile, as a user may: then there is nothing to keep.
            guard try parts.complete(file: part.file, received, at: now, in: transaction),
                var image = try store.image(part.image, in: transaction), image.status == .uploading
            else { return false }
            image.sizeBytes = received.sizeBytes
            image.updatedAt = now
            try store.update(image, in: transaction)
            return true
        }
        guard isKept else { throw Self.gone(part.image) }
    }

    /// Whole data of an upload: checks it and makes the image active.
    private func accept(_ received: BlobWriter.Result, part: ImagePart, at now: Int64) async throws {
        guard let image = try await database.read({ [store] in try store.image(part.image, in: $0) }) else {
            throw Self.gone(part.image)
        }
        let virtualSize = try await judge(part.file, image: image)
        try await publish(received, part: part.file) { [store] transaction in
            guard var image = try store.image(part.image, in: transaction), image.status == .saving else {
                throw Self.gone(part.image)
            }
            image.status = .active
            image.sizeBytes = received.sizeBytes
            image.virtualSizeBytes = virtualSize
            image.checksum = received.md5
            image.sha512 = received.sha512
            image.updatedAt = now
            try store.update(image, in: transaction)
        }
    }

    /// - Returns: The size a guest sees.
    /// - Throws: ``ImageAcceptance/Refusal``.
    func judge(_ file: String, image: Image) async throws -> Int64? {
        let reader = try await blobs.reader(file)
        return try ImageAcceptance.virtualSize(
            of: try await reader.inspect(), diskFormat: image.diskFormat ?? "",
            containerFormat: image.containerFormat ?? "", sizeBytes: await reader.sizeBytes)
    }

    /// Gives whole data its name and records it with its image in one transaction; then the image's parts are over.
    func publish(
        _ content: BlobWriter.Result, part: String,
        record: @escaping @Sendable (any SQLTransaction) throws -> Void
    ) async throws {
        // From here on the content may have its name but no row yet: the pin keeps a sweep away from it.
        blobs.pin(content.sha512)
        defer { blobs.unpin(content.sha512) }
        try await blobs.publish(part: part, as: content.sha512)
        let now = clock.now()
        try await database.write { [contents] transaction in
            // An image that was deleted meanwhile took its part along, and its id may be another image's by now.
            guard try ImagePart.table.delete(part, in: transaction) else { throw PartGone() }
            try record(transaction)
            // If it was damaged it is whole again, and other images of the same content can be used again.
            try contents.heal(content.sha512, at: now, in: transaction)
        }
        await blobs.remove(part: part)
    }

    /// The part whose data was to be published is nobody's any more.
    struct PartGone: Error {}

    /// After something went wrong: keeps what a broken connection brought, and drops what was refused. What cannot be
    /// recorded now is up to ``expire()``.
    private func giveUp(_ part: ImagePart, writer: BlobWriter, error: any Error) async {
        do {
            let isCut = error is CutOff || Disconnection.explains(error)
            if isCut, let size = try? await writer.settle(), size > 0 {
                do { return try await leave(part, at: size) } catch StoreError.unavailable {
                    // Where images and database share a full disk, what came in is worth less than a database that can
                    // be written.
                }
            }
            await writer.close()
            try await drop(part)
        } catch {
            logger.error(
                "the end of an upload could not be recorded", metadata: ["image": "\(part.image)", "error": "\(error)"])
        }
    }

    /// The image waits for the rest.
    private func leave(_ part: ImagePart, at size: Int64) async throws {
        let now = clock.now()
        try await database.write { [store, parts] transaction in
            // Without its part it is not the image that this began with.
            guard try parts.advance(file: part.file, to: size, at: now, in: transaction) else { return }
            _ = try store.move(part.image, from: part.kind.busy, to: .queued, at: now, in: transaction)
        }
    }

    /// The image is as if nothing had come in. The data goes first, also where it has its content's name already: it may
    /// be what fills the disk that the row is on.
    private func drop(_ part: ImagePart) async throws {
        let now = clock.now()
        await blobs.remove(part: part.file)
        await sweep()
        try await database.write { [store] transaction in
            guard try ImagePart.table.delete(part.file, in: transaction) else { return }
            _ = try store.move(part.image, from: part.kind.busy, to: .queued, at: now, in: transaction)
        }
    }

    private static func gone(_ image: ImageID) -> APIError {
        APIError(
            status: 410,
            message: """
                Image \(image) could not be found after upload. The image may have been deleted during the upload, \
                cleaning up the chunks uploaded.
                """)
    }

    private static func wrongOffset(_ offset: Int64, kept: Int64) -> APIError {
        APIError(
            status: 416, message: "The data cannot go on at byte \(offset): \(kept) bytes are here.",
            headers: [(name: "Upload-Offset", value: "\(kept)")])
    }

    static func refusal(_ error: any Error, image: ImageID) -> any Error {
        switch error {
        case let refusal as ImageAcceptance.Refusal:
            return APIError(status: 415, message: "\(refusal)")
        case is PartGone: return gone(image)
        case let cut as CutOff:
            return APIError.badRequest("The data was cut off after \(cut.got) of \(cut.expected) bytes.")
        case let blob as BlobError where blob.isNoSpace:
            return APIError(
                status: 413,
                message: "Image storage media is full: there is no room on the coordinator's disk for image \(image).",
                detail: "\(blob)")
        default: return error
        }
    }
}

extension ImagePart.Kind {
    /// What an image is while such data comes in.
    fileprivate var busy: Image.Status { self == .upload ? .saving : .uploading }
}
