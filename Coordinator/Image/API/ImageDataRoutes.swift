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
        if let store = call.headers[.imageStore], store != ImageService.storeID {
            throw APIError.badRequest("Unknown scheme '\(store.prefix(80))' found in URI")
        }
        return try await receive(call, .upload)
    }

    private func stage(_ call: APICall) async throws -> APIResponse { try await receive(call, .stage) }

    private func receive(_ call: APICall, _ kind: ImagePart.Kind) async throws -> APIResponse {
        guard call.headers[.contentType]?.split(separator: ";").first == "application/octet-stream" else {
            throw APIError(status: 415, message: "Image data is sent as 'application/octet-stream'.")
        }
        let range = try Self.contentRange(call)
        let announced = range?.count ?? call.headers[.contentLength].flatMap { Int64($0) }
        let part = try await write(call) {
            try service.beginUpload(
                call.parameter("image_id"), kind, from: range?.first ?? 0, as: $0, at: call.now, in: $1)
        }
        let progress = try await service.receive(
            call.body, into: part, isEnd: range?.isEnd ?? true, announced: announced, at: call.now)
        return switch progress {
        case .whole: .empty(204)
        case .partial(let offset): .empty(202, headers: Self.offsetHeader(offset))
        }
    }

    private static func contentRange(_ call: APICall) throws -> ByteRange.Content? {
        guard let text = call.headers[.contentRange] else { return nil }
        guard let range = ByteRange.Content(text) else {
            throw APIError.badRequest("Content-Range must be 'bytes FIRST-LAST/TOTAL', not '\(text.prefix(80))'.")
        }
        return range
    }

    /// How much of the staged data is here. The data themselves are shown to nobody before they are an image's.
    private func staged(_ call: APICall) async throws -> APIResponse {
        let offset = try await read(call) { access, reader in
            let image = try service.find(call.parameter("image_id"), for: "modify_image", as: access, in: reader)
            return try service.offset(of: image.id, .stage, in: reader)
        }
        return .empty(204, headers: Self.offsetHeader(offset))
    }

    private static func offsetHeader(_ offset: Int64?) -> [(name: String, value: String)] {
        [(name: "Upload-Offset", value: "\(offset ?? 0)")]
    }

    private func download(_ call: APICall) async throws -> APIResponse {
        let (image, offset) = try await read(call) {
            try service.downloadable(call.parameter("image_id"), as: $0, in: $1)
        }
        guard let sha512 = image.sha512, let size = image.sizeBytes else {
            return .empty(204, headers: Self.offsetHeader(offset))
        }
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
        do {
            reader = try await service.open(sha512, sizeBytes: size, of: image.id, from: first, at: call.now)
        } catch is Refusal { throw ImageError.damaged(image.id.text) }
        return APIResponse(
            status: status, headers: headers,
            body: .stream(length: count, reader.chunks(of: Self.chunkBytes, limit: count)))
    }
}
