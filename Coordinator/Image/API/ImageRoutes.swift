import CoordinatorPlatform
import ProtocolModel

/// Images: list, create, show, update, delete.
extension ImageAPI {
    var imageRoutes: [Route] {
        [
            Route(.get, "/v2/images", handler: list).asking("get_images", "get_image"),
            Route(.post, "/v2/images", action: "image.image.create", handler: create)
                .asking("add_image", "publicize_image", "communitize_image"),
            Route(.get, "/v2/images/{image_id}", handler: show).asking("get_image"),
            Route(.patch, "/v2/images/{image_id}", action: "image.image.update", handler: update)
                .asking(
                    "modify_image", "get_image", "publicize_image", "communitize_image", "set_image_location",
                    "delete_image_location"),
            Route(.delete, "/v2/images/{image_id}", action: "image.image.delete", handler: delete)
                .asking("delete_image", "get_image"),
            Route(.delete, "/v2/images", action: "image.image.delete", handler: deleteNothing)
                .open(because: "it refuses everybody")
        ]
    }

    /// `/v2/images/` is an image without an id, not the list.
    private static func requireNoEmptyID(_ call: APICall) throws {
        guard !call.path.hasSuffix("/") else { throw call.words.unknownPath }
    }

    private func deleteNothing(_ call: APICall) async throws -> APIResponse {
        try Self.requireNoEmptyID(call)
        throw call.words.methodNotAllowed
    }

    private func list(_ call: APICall) async throws -> APIResponse {
        try Self.requireNoEmptyID(call)
        let access = try ImageAccess(call)
        try access.require("get_images")
        guard let viewer = Self.viewer(access.caller) else { throw ImageError.notAllowed("get_images") }
        let settings = service.metadata
        let request = try ImageListRequest(
            call.query, viewer: viewer, limitDefault: settings.listLimitDefault, limitMaximum: settings.listLimitMaximum
        )
        let (page, isFull) = try await call.database.read { [service] reader in
            var listing = request.listing
            if let marker = request.marker {
                do { listing.marker = try service.find(marker, caller: access.caller, in: reader) } catch {
                    guard let refusal = error as? APIError else { throw error }
                    throw APIError.badRequest(refusal.message)
                }
            }
            let page = try service.list(listing, in: reader)
            return (access.shown(page), page.count == listing.limit)
        }
        let view = ImageView(settings, call)
        var body: [String: JSON] = [
            "images": .array(page.map(view.render)), "schema": "/v2/schemas/images",
            "first": JSON(Self.link("/v2/images", call.query, marker: nil))
        ]
        if let last = page.last, isFull {
            body["next"] = JSON(Self.link("/v2/images", call.query, marker: last.id.text))
        }
        return .json(.object(body))
    }

    private static func viewer(_ caller: Caller) -> ImageListing.Viewer? {
        caller.isAdmin ? .administrator(caller.project) : caller.project.map { .project($0) }
    }

    /// A list's path with the caller's parameters and another marker.
    static func link(_ path: String, _ query: [(name: String, value: String)], marker: String?) -> String {
        var items = query.filter { $0.name != "marker" }
        if let marker { items.append((name: "marker", value: marker)) }
        guard !items.isEmpty else { return path }
        let text = items.map { PercentCoding.encode($0.name) + "=" + PercentCoding.encode($0.value) }
        return path + "?" + text.joined(separator: "&")
    }

    private func create(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let body = try await call.json()
        let image = try Self.read(body, owner: access.caller.project, at: call.now)
        let guards = PropertyGuard(service.metadata.propertyProtections, call)
        for name in image.properties.keys.sorted() { try guards.require(.create, name) }
        try await call.write(target: { _ in image.id.text }) { [service] transaction in
            try service.create(image, as: access, in: transaction)
        }
        return .json(
            ImageView(service.metadata, call).render(image), status: 201,
            headers: [(name: "Location", value: "\(call.baseURL)/image/v2/images/\(image.id)")] + createHeaders)
    }

    private static func read(_ body: JSON, owner: ProjectID?, at now: Int64) throws -> Image {
        let members = body.objectValue ?? [:]
        for name in ImageFields.disallowed where members[name] != nil {
            throw APIError.forbidden("Attribute '\(name)' is read-only.")
        }
        try ImageFields.validate(body)
        let id = members["id"]?.stringValue.flatMap { ImageID($0) } ?? .random()
        var image = Image(id: id, owner: owner, at: now)
        for (name, value) in members.sorted(by: { $0.key < $1.key }) where name != "id" {
            guard name != "locations" else { throw APIError.forbidden("Attribute 'locations' is reserved.") }
            try ImageFields.set(name, value, on: &image)
        }
        return image
    }

    private func show(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let id = call.parameter("image_id")
        let image = try await call.database.read { [service] in
            try service.find(id, for: "get_image", as: access, in: $0)
        }
        return .json(ImageView(service.metadata, call).render(image))
    }

    private func update(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let contentType = call.headers[.contentType] ?? ""
        _ = try ImagePatch.dialect(contentType)
        let patch = try ImagePatch(contentType: contentType, body: try await call.jsonValue())
        let id = call.parameter("image_id")
        let protections = service.metadata.propertyProtections
        let image = try await call.write { [service] transaction in
            guard let rule = patch.rule else {
                return try service.find(id, for: "get_image", as: access, in: transaction)
            }
            return try service.update(id, for: rule, as: access, at: call.now, in: transaction) { image in
                try patch.apply(to: &image, as: PropertyGuard(protections, call))
            }
        }
        return .json(ImageView(service.metadata, call).render(image))
    }

    private func delete(_ call: APICall) async throws -> APIResponse {
        let access = try ImageAccess(call)
        let id = call.parameter("image_id")
        try await call.write { [service] in try service.delete(id, as: access, in: $0) }
        return .empty(204)
    }
}
