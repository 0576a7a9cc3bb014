import CoordinatorPlatform
import NIOCore
import ProtocolModel

/// Taking an image's data in.
///
/// QUEUED -> SAVING by one conditional write, so of two uploads one wins. Every way out of SAVING is here (active, or
/// queued again), and ``ImageService/recover()`` covers a crash.
extension ImageService {
    /// What is collected before it is handed to the disk's thread.
    private static let batchBytes = 1 << 19

    func upload(_ call: APICall) async throws {
        let caller = try call.requireCaller()
        let id = call.parameter("image_id")
        let image = try await begin(id, call: call, caller: caller)
        let writer = blobs.writer()
        do {
            try await receive(call.body, into: writer)
            let result = try await writer.finish()
            try await accept(result, from: writer, image: image, call: call)
        } catch {
            await writer.discard()
            _ = try? await database.write { [store] in
                try store.move(image.id, from: .saving, to: .queued, at: call.now, in: $0)
            }
            await sweep()
            throw Self.refusal(error, image: image)
        }
    }

    private func begin(_ id: String, call: APICall, caller: Caller) async throws -> Image {
        try await call.write { [store] transaction in
            let image = try find(id, caller: caller, in: transaction)
            try ImagePolicy.requireChange(image, caller: caller)
            guard image.diskFormat != nil, image.containerFormat != nil else {
                throw APIError.badRequest(
                    "Properties disk_format, container_format must be set prior to saving data.")
            }
            guard try store.move(image.id, from: .queued, to: .saving, at: call.now, in: transaction) else {
                throw APIError.conflict(
                    "Image status transition from \(image.status.rawValue) to saving is not allowed")
            }
            return image
        }
    }

    private func receive(_ body: any RequestBodySource, into writer: BlobWriter) async throws {
        var batch = ByteBuffer()
        var total: Int64 = 0
        try await body.forEachChunk { chunk in
            total += Int64(chunk.readableBytes)
            guard total <= sizeLimit else {
                throw APIError(
                    status: 413,
                    message: "Denying attempt to upload image larger than \(sizeLimit) bytes.")
            }
            batch.writeImmutableBuffer(chunk)
            if batch.readableBytes >= Self.batchBytes {
                try await writer.append(batch)
                batch.clear()
            }
        }
        if batch.readableBytes > 0 { try await writer.append(batch) }
    }

    private func accept(
        _ result: BlobWriter.Result, from writer: BlobWriter, image: Image, call: APICall
    ) async throws {
        let virtualSize = try Self.virtualSize(result, declared: image.diskFormat ?? "")
        // From here on the content has its name but no row yet: the pin keeps a sweep away from it.
        blobs.pin(result.sha512)
        defer { blobs.unpin(result.sha512) }
        try await writer.publish(as: result.sha512)
        try await database.write { [store] transaction in
            // Deleted meanwhile, as a user may: then there is nothing to keep.
            guard var image = try store.image(image.id, in: transaction), image.status == .saving else {
                throw APIError(status: 410, message: "Image \(image.id) could not be found after upload.")
            }
            image.status = .active
            image.sizeBytes = result.sizeBytes
            image.virtualSizeBytes = virtualSize
            image.checksum = result.md5
            image.sha512 = result.sha512
            image.updatedAt = call.now
            try store.update(image, in: transaction)
        }
    }

    /// - Throws: ``APIError`` 415 for content that is not what the image says it is, or that is not safe.
    private static func virtualSize(_ result: BlobWriter.Result, declared: String) throws -> Int64 {
        func refuse(_ reason: String) -> APIError {
            APIError(status: 415, message: "Image data is not acceptable: \(reason).")
        }
        switch DiskFormatInspector.inspect(head: result.head, sizeBytes: result.sizeBytes) {
        case .known(let format, let virtualSize):
            // An ISO may be stored as raw: it is a disk like any other then.
            guard format.rawValue == declared || (declared == "raw" && format == .iso) else {
                throw refuse("disk_format is \(declared), the data is \(format.rawValue)")
            }
            return virtualSize
        case .foreign(let name):
            throw refuse("the data is \(name); convert it to qcow2 or raw (qemu-img convert) and upload that")
        case .unsafe(let reason):
            throw refuse(reason)
        }
    }

    private static func refusal(_ error: any Error, image: Image) -> any Error {
        guard let blob = error as? BlobError, blob.isNoSpace else { return error }
        return APIError(
            status: 413, message: "There is not enough space on the coordinator's disk for image \(image.id).",
            detail: "\(blob)")
    }
}
