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
        let access = ImageAccess(try call.permissions())
        try access.require("get_images")
        guard let viewer = Self.viewer(access.caller) else { throw ImageError.notAllowed("get_images") }
        let settings = service.metadata
        let request = try ImageListRequest(
            call.query, viewer: viewer, limitDefault: settings.listLimitDefault, limitMaximum: settings.listLimitMaximum
        )
        let (images, count) = try await call.database.read { reader in
            try request.dialect.found {
                try service.list(request.listing, after: request.query.marker, as: access, in: reader)
            }
        }
        var page = ListPage(collection: "images", identities: images.map(\.id.text), query: request.query)
        page.count = count
        return request.dialect.answer(page, images.map(ImageView(settings, access).render), call)
    }

    private static func viewer(_ caller: Caller) -> ImageListing.Viewer? {
        caller.isAdmin ? .administrator(caller.project) : caller.project.map { .project($0) }
    }

    private func show(_ image: Image, to caller: ImageAccess) -> JSON {
        ImageView(service.metadata, caller).render(image)
    }

    private func create(_ call: APICall) async throws -> APIResponse {
        let access = ImageAccess(try call.permissions())
        let image = try Self.read(try await call.json(), owner: access.caller.project, at: call.now)
        let guards = PropertyGuard(service.metadata.propertyProtections, access.permissions)
        for name in image.properties.keys.sorted() { try guards.require(.create, name) }
        try await write(call, target: { _ in image.id.text }) { try service.create(image, as: $0, in: $1) }
        return .json(
            show(image, to: access), status: 201,
            headers: [(name: "Location", value: "\(call.baseURL)/image/v2/images/\(image.id)")] + createHeaders)
    }

    private static func read(_ body: JSON, owner: ProjectID?, at now: Int64) throws -> Image {
        let members = body.objectValue ?? [:]
        for name in ImageFields.disallowed where members[name] != nil {
            throw APIError.forbidden("Attribute '\(name)' is read-only.")
        }
        try ImageFields.validate(body)
        let id = members["id"]?.stringValue.flatMap { ImageID($0) }
        // Was once given to an image, which is gone or not the caller's to see.
        if let id, ImageMark.has(id) { throw ImageService.taken(id) }
        var image = Image(id: id ?? ImageMark.random(), owner: owner, at: now)
        for (name, value) in members.sorted(by: { $0.key < $1.key }) where name != "id" {
            guard name != "locations" else { throw APIError.forbidden("Attribute 'locations' is reserved.") }
            try ImageFields.set(name, value, on: &image)
        }
        return image
    }

    private func show(_ call: APICall) async throws -> APIResponse {
        let image = try await read(call) {
            try service.find(call.parameter("image_id"), for: "get_image", as: $0, in: $1)
        }
        return .json(show(image, to: ImageAccess(try call.permissions())))
    }

    private func update(_ call: APICall) async throws -> APIResponse {
        let contentType = call.headers[.contentType] ?? ""
        _ = try ImagePatch.dialect(contentType)
        let patch = try ImagePatch(contentType: contentType, body: try await call.jsonValue())
        let id = call.parameter("image_id")
        let image = try await write(call) { access, transaction in
            guard let rule = patch.rule else {
                return try service.find(id, for: "get_image", as: access, in: transaction)
            }
            let guards = PropertyGuard(service.metadata.propertyProtections, access.permissions)
            return try service.update(id, for: rule, as: access, at: call.now, in: transaction) { image in
                try patch.apply(to: &image, as: guards)
            }
        }
        return .json(show(image, to: ImageAccess(try call.permissions())))
    }

    private func delete(_ call: APICall) async throws -> APIResponse {
        try await write(call) { try service.delete(call.parameter("image_id"), as: $0, in: $1) }
        return .empty(204)
    }
}
