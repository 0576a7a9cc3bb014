import CoordinatorPlatform
import NIOCore
import ProtocolModel

/// An image's bytes, in and out.
extension ImageAPI {
    /// What is read from the disk at a time for a download.
    private static let chunkBytes = 1 << 19

    var dataRoutes: [Route] {
        [
            Route(
                .put, "/v2/images/{image_id}/file", action: "image.image.upload", bodyLimit: .max, handler: upload
            ).asking("upload_image", "get_image"),
            Route(.get, "/v2/images/{image_id}/file", handler: download).asking("download_image"),
            Route(
                .put, "/v2/images/{image_id}/stage", action: "image.image.stage", bodyLimit: .max, handler: stage
            ).asking("modify_image", "get_image"),
            Route(.get, "/v2/images/{image_id}/stage", handler: staged).asking("modify_image", "get_image")
        ] + importRoutes + taskRoutes + storeRoutes
    }

    private func upload(_ call: APICall) async throws -> APIResponse {
        try Self.requireOctets(call)
        if let store = call.headers[.imageStore], store != Self.storeID {
            throw APIError.badRequest("Unknown scheme '\(store.prefix(80))' found in URI")
        }
        return Self.answer(try await service.upload(call))
    }

    private func stage(_ call: APICall) async throws -> APIResponse {
        try Self.requireOctets(call)
        return Self.answer(try await service.stage(call))
    }

    private static func requireOctets(_ call: APICall) throws {
        guard call.headers[.contentType]?.split(separator: ";").first == "application/octet-stream" else {
            throw APIError(status: 415, message: "Image data is sent as 'application/octet-stream'.")
        }
    }

    private static func answer(_ progress: ImageService.Progress) -> APIResponse {
        switch progress {
        case .whole: .empty(204)
        case .partial(let offset): .empty(202, headers: [(name: "Upload-Offset", value: "\(offset)")])
        }
    }

    /// How much of the staged data is here. The data themselves are shown to nobody before they are an image's.
    private func staged(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let id = call.parameter("image_id")
        let offset = try await call.database.read { [service] reader in
            let image = try service.find(id, for: "modify_image", as: access, in: reader)
            return try service.offset(of: image.id, .stage, in: reader)
        }
        return .empty(204, headers: Self.offsetHeader(offset))
    }

    private static func offsetHeader(_ offset: Int64?) -> [(name: String, value: String)] {
        [(name: "Upload-Offset", value: "\(offset ?? 0)")]
    }

    private func download(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let id = call.parameter("image_id")
        let (image, damage, offset) = try await call.database.read { [service] reader in
            let image = try service.find(id, caller: access.caller, in: reader)
            guard image.status != .deactivated || access.caller.isAdmin else {
                throw APIError.forbidden(
                    "The requested image has been deactivated. Image data download is forbidden.")
            }
            try access.require("download_image", on: image)
            let damage = try image.sha512.flatMap { try service.contents.damage(of: $0, in: reader) }
            return (image, damage, try service.offset(of: image.id, .upload, in: reader))
        }
        guard let sha512 = image.sha512, let size = image.sizeBytes else {
            return .empty(204, headers: Self.offsetHeader(offset))
        }
        guard damage == nil else { throw ImageError.damaged(id) }
        return try await data(of: image, sha512: sha512, size: size, call)
    }

    private func data(of image: Image, sha512: String, size: Int64, _ call: APICall) async throws -> APIResponse {
        var headers = [
            (name: "Content-Type", value: "application/octet-stream"), (name: "Accept-Ranges", value: "bytes")
        ]
        if let checksum = image.checksum { headers.append((name: "Content-MD5", value: checksum)) }
        var (first, count, status) = (Int64(0), size, 200)
        switch ByteRange.select(call.headers[.range], sizeBytes: size) {
        case .whole: break
        case .part(let offset, let length):
            (first, count, status) = (offset, length, 206)
            headers.append((name: "Content-Range", value: "bytes \(offset)-\(offset + length - 1)/\(size)"))
        case .unsatisfiable(let reason):
            throw APIError(
                status: 416, message: reason, headers: [(name: "Content-Range", value: "bytes */\(size)")])
        }
        let reader: BlobReader
        do { reader = try await service.blobs.reader(sha512, from: first) } catch let error as BlobError
            where error.isMissing
        {
            await service.condemn(sha512, reason: "its file is gone", seen: call.now)
            throw ImageError.damaged(image.id.text)
        }
        // A file that is not as long as its image is damaged, whatever its hash would say.
        guard await reader.sizeBytes == size else {
            await service.condemn(sha512, reason: "its file has another length than it had", seen: call.now)
            throw ImageError.damaged(image.id.text)
        }
        return APIResponse(
            status: status, headers: headers,
            body: .stream(length: count, reader.chunks(of: Self.chunkBytes, limit: count)))
    }
}
