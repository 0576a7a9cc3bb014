import CoordinatorPlatform
import NIOCore
import ProtocolModel

/// The Image API v2 (API reference "Image Service API v2", to 2.5).
struct ImageAPI: Sendable {
    let service: ImageService
    static let currentVersion = "v2.5"
    /// What Cirros and cloud images need is far less; the service's own default is 1 MiB of JSON too.
    private static let uploadLimit = Int.max

    var api: ServiceAPI {
        ServiceAPI(
            prefix: "/image",
            routes: [
                Route(.get, "/", access: .anybody) { call in .json(Self.versions(call), status: 300) },
                Route(.get, "/versions", access: .anybody) { call in .json(Self.versions(call)) },
                Route(.get, "/v2/schemas/image") { _ in .json(ImageSchemas.image) },
                Route(.get, "/v2/schemas/images") { _ in .json(ImageSchemas.images) },
                Route(.get, "/v2/images", handler: list),
                Route(.post, "/v2/images", action: "image.image.create", handler: create),
                Route(.get, "/v2/images/{image_id}", handler: show),
                Route(.patch, "/v2/images/{image_id}", action: "image.image.update", handler: update),
                Route(.delete, "/v2/images/{image_id}", action: "image.image.delete", handler: delete),
                Route(
                    .put, "/v2/images/{image_id}/file", action: "image.image.upload", bodyLimit: Self.uploadLimit,
                    handler: upload),
                Route(.get, "/v2/images/{image_id}/file", handler: download),
                Route(
                    .put, "/v2/images/{image_id}/tags/{tag}", action: "image.tag.add", handler: addTag),
                Route(
                    .delete, "/v2/images/{image_id}/tags/{tag}", action: "image.tag.remove", handler: removeTag)
            ],
            renderError: Self.renderError)
    }

    static func versions(_ call: APICall) -> JSON {
        let link: JSON = [["rel": "self", "href": JSON("\(call.baseURL)/image/v2/")]]
        let versions = ["v2.5", "v2.4", "v2.3", "v2.2", "v2.1", "v2.0"].map { id -> JSON in
            ["id": JSON(id), "status": id == currentVersion ? "CURRENT" : "SUPPORTED", "links": link]
        }
        return ["versions": .array(versions)]
    }

    @Sendable static func renderError(_ error: APIError, requestID: String) -> (body: JSON, contentType: String) {
        let titles = [
            400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
            409: "Conflict", 410: "Gone", 413: "Request Entity Too Large", 415: "Unsupported Media Type",
            416: "Requested Range Not Satisfiable", 500: "Internal Server Error", 503: "Service Unavailable"
        ]
        let title = titles[error.status] ?? "Error"
        return (
            ["message": JSON(error.message), "code": JSON("\(error.status) \(title)"), "title": JSON(title)],
            "application/json"
        )
    }

    private func list(_ call: APICall) async throws -> APIResponse {
        let caller = try call.requireCaller()
        let query = try ImageQuery(call, caller: caller)
        let page = try await call.database.read { [service] reader in
            var query = query
            if let marker = query.marker {
                let image: Image
                do {
                    image = try service.find(marker.text, caller: caller, in: reader)
                } catch is APIError {
                    throw APIError.badRequest("Marker \(marker) could not be found.")
                }
                try query.skip(past: image, in: reader)
            }
            return try service.store.images(
                where: query.condition, arguments: query.arguments, order: query.order, limit: query.limit, in: reader)
        }
        var body: [String: JSON] = [
            "images": .array(page.map(ImageBody.render)), "schema": "/v2/schemas/images",
            "first": JSON(Self.link(call, marker: nil))
        ]
        if let last = page.last, page.count == query.limit {
            body["next"] = JSON(Self.link(call, marker: last.id))
        }
        return .json(.object(body))
    }

    /// The list's own path with the caller's parameters and another marker.
    private static func link(_ call: APICall, marker: ImageID?) -> String {
        var items = call.query.filter { $0.name != "marker" }.map { name, value in
            PercentCoding.encode(name) + "=" + PercentCoding.encode(value)
        }
        if let marker { items.append("marker=\(marker)") }
        return "/v2/images" + (items.isEmpty ? "" : "?" + items.joined(separator: "&"))
    }

    private func create(_ call: APICall) async throws -> APIResponse {
        let caller = try call.requireCaller()
        let body = try await call.json().objectValue ?? [:]
        var id = ImageID.random()
        if let given = body["id"] {
            guard let text = given.stringValue, let wanted = ImageID(text) else {
                throw ImageFields.invalid("id", "the value is not a UUID")
            }
            id = wanted
        }
        var image = Image(id: id, owner: caller.project, at: call.now)
        for (name, value) in body where name != "id" { try ImageFields.set(name, value, on: &image) }
        let made = image
        try await call.write(target: { _ in made.id.text }) { [service] transaction in
            try service.create(made, caller: caller, in: transaction)
        }
        return .json(
            ImageBody.render(made), status: 201,
            headers: [(name: "Location", value: "\(call.baseURL)/image/v2/images/\(made.id)")])
    }

    private func show(_ call: APICall) async throws -> APIResponse {
        .json(ImageBody.render(try await find(call)))
    }

    private func update(_ call: APICall) async throws -> APIResponse {
        let caller = try call.requireCaller()
        let type = call.headers[.contentType] ?? ""
        let body = try await call.jsonValue()
        let patch = try ImagePatch(contentType: type.split(separator: ";").first.map(String.init) ?? "", body: body)
        let id = call.parameter("image_id")
        let image = try await call.write { [service] transaction in
            try service.update(id, caller: caller, at: call.now, in: transaction) { try patch.apply(to: &$0) }
        }
        return .json(ImageBody.render(image))
    }

    private func delete(_ call: APICall) async throws -> APIResponse {
        let caller = try call.requireCaller()
        let id = call.parameter("image_id")
        try await call.write { [service] in try service.delete(id, caller: caller, in: $0) }
        return .empty(204)
    }

    private func upload(_ call: APICall) async throws -> APIResponse {
        guard call.headers[.contentType]?.split(separator: ";").first == "application/octet-stream" else {
            throw APIError(status: 415, message: "Image data is sent as 'application/octet-stream'.")
        }
        try await service.upload(call)
        return .empty(204)
    }

    private func download(_ call: APICall) async throws -> APIResponse {
        let image = try await find(call)
        guard image.status != .deactivated || call.caller?.isAdmin == true else {
            throw APIError.forbidden("The requested image has been deactivated. Image data download is forbidden.")
        }
        guard let sha512 = image.sha512 else { return .empty(204) }
        let reader = try await service.blobs.reader(sha512: sha512, from: 0)
        let stream = AsyncThrowingStream<ByteBuffer, any Error> {
            let bytes = try await reader.next(1 << 18)
            return bytes.isEmpty ? nil : ByteBuffer(bytes: bytes)
        }
        var headers = [(name: "Content-Type", value: "application/octet-stream")]
        if let checksum = image.checksum { headers.append((name: "Content-MD5", value: checksum)) }
        return APIResponse(status: 200, headers: headers, body: .stream(length: await reader.sizeBytes, stream))
    }

    private func addTag(_ call: APICall) async throws -> APIResponse {
        try await changeTags(call) { tags, tag in
            guard !tags.contains(tag) else { return }
            guard tags.count < ImageFields.tagLimit else {
                throw APIError(status: 413, message: "An image has at most \(ImageFields.tagLimit) tags.")
            }
            tags = (tags + [tag]).sorted()
        }
    }

    private func removeTag(_ call: APICall) async throws -> APIResponse {
        try await changeTags(call) { tags, tag in
            guard tags.contains(tag) else { throw APIError.notFound("Tag \(tag) is not on this image.") }
            tags.removeAll { $0 == tag }
        }
    }

    private func changeTags(
        _ call: APICall, _ change: @escaping @Sendable (inout [String], String) throws -> Void
    ) async throws -> APIResponse {
        let caller = try call.requireCaller()
        let id = call.parameter("image_id")
        let tag = try ImageFields.tag(call.parameter("tag"))
        try await call.write { [service] transaction in
            _ = try service.update(id, caller: caller, at: call.now, in: transaction) { try change(&$0.tags, tag) }
        }
        return .empty(204)
    }

    private func find(_ call: APICall) async throws -> Image {
        let caller = try call.requireCaller()
        let id = call.parameter("image_id")
        return try await call.database.read { [service] in try service.find(id, caller: caller, in: $0) }
    }
}
