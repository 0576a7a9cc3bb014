import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/{networks,subnets,ports,security-groups}/{id}/tags`.
struct TagRoutes: Sendable {
    let service: NetworkService
    private let tags = TagStore()

    init(service: NetworkService) { self.service = service }

    var routes: [Route] {
        ["networks", "subnets", "ports", "security-groups"].flatMap { collection in
            let path = "/v2.0/\(collection)/{id}/tags"
            let action = "network.tag"
            return [
                Route(.get, path) { try await list($0, collection) }.gated(by: "get_tags"),
                Route(.put, path, action: "\(action).replace") { try await replace($0, collection) }
                    .asking("update_tags"),
                Route(.delete, path, action: "\(action).clear") { try await clear($0, collection) }
                    .asking("update_tags"),
                Route(.get, "\(path)/{tag}") { try await show($0, collection) }.gated(by: "get_tags"),
                Route(.put, "\(path)/{tag}", action: "\(action).add") { try await add($0, collection) }
                    .asking("update_tags"),
                Route(.delete, "\(path)/{tag}", action: "\(action).remove") { try await remove($0, collection) }
                    .asking("update_tags")
            ]
        }
    }

    /// The resource of the call and who owns it.
    private func resource(
        _ call: APICall, _ collection: String, _ reader: any SQLReader
    ) throws -> (id: AnyID, project: ProjectID) {
        let viewer = Viewer(try call.requireCaller())
        let text = call.parameter("id")
        switch collection {
        case "networks":
            let network = try service.network(text, viewer: viewer, in: reader).network
            return (network.id.cast(), network.project)
        case "subnets":
            let subnet = try service.subnet(text, viewer: viewer, in: reader).record
            return (subnet.id.cast(), subnet.project)
        case "ports":
            let port = try service.port(text, viewer: viewer, in: reader).record
            return (port.id.cast(), port.project)
        default:
            let group = try service.group(text, viewer: viewer, in: reader).group
            return (group.id.cast(), group.project)
        }
    }

    private func change<T: Sendable>(
        _ call: APICall, _ collection: String, _ body: @escaping @Sendable (AnyID, any SQLTransaction) throws -> T
    ) async throws -> T {
        try await call.write { transaction in
            let (id, project) = try resource(call, collection, transaction)
            try call.authorize("update_tags", project: project)
            return try body(id, transaction)
        }
    }

    private static func check(_ tag: String) throws {
        guard (1...255).contains(tag.unicodeScalars.count), !tag.contains(",") else {
            throw Attributes.invalid(
                "tags", "'\(tag)' is not a valid tag: it has 1 to 255 characters and no comma")
        }
    }

    @Sendable private func list(_ call: APICall, _ collection: String) async throws -> APIResponse {
        let found = try await call.database.read { reader in
            let id = try resource(call, collection, reader).id
            return try tags.tags(of: [id], in: reader)[id] ?? []
        }
        return .json(["tags": .array(found.map { JSON($0) })])
    }

    @Sendable private func show(_ call: APICall, _ collection: String) async throws -> APIResponse {
        let tag = call.parameter("tag")
        let isThere = try await call.database.read { reader in
            let id = try resource(call, collection, reader).id
            return try tags.tags(of: [id], in: reader)[id]?.contains(tag) ?? false
        }
        guard isThere else { throw Self.notFound(tag) }
        return .empty(204)
    }

    private static func notFound(_ tag: String) -> APIError {
        .notFound("Tag \(tag) could not be found.", type: "TagNotFound")
    }

    @Sendable private func replace(_ call: APICall, _ collection: String) async throws -> APIResponse {
        guard let items = try await call.json()["tags"]?.arrayValue else {
            throw APIError.http("Invalid input for tags. Reason: the body must have a list 'tags'.")
        }
        let wanted = try items.map { item in
            guard let tag = item.stringValue else {
                throw Attributes.invalid("tags", "'\(item.text)' is not a valid string")
            }
            try Self.check(tag)
            return tag
        }
        guard Set(wanted).count <= 50 else {
            throw APIError.http("Invalid input for tags. Reason: there are more than 50.")
        }
        try await change(call, collection) { id, transaction in
            try tags.removeAll(from: id, in: transaction)
            for tag in wanted { try tags.add(tag, to: id, in: transaction) }
        }
        return .json(["tags": .array(Set(wanted).sorted().map { JSON($0) })])
    }

    @Sendable private func add(_ call: APICall, _ collection: String) async throws -> APIResponse {
        let tag = call.parameter("tag")
        try Self.check(tag)
        try await change(call, collection) { id, transaction in
            try tags.add(tag, to: id, in: transaction)
            guard try tags.tags(of: [id], in: transaction)[id]?.count ?? 0 <= 50 else {
                throw APIError.http("Invalid input for tags. Reason: there are more than 50.")
            }
        }
        return .empty(201)
    }

    @Sendable private func remove(_ call: APICall, _ collection: String) async throws -> APIResponse {
        let tag = call.parameter("tag")
        try await change(call, collection) { id, transaction in
            guard try tags.remove(tag, from: id, in: transaction) else { throw Self.notFound(tag) }
        }
        return .empty(204)
    }

    @Sendable private func clear(_ call: APICall, _ collection: String) async throws -> APIResponse {
        try await change(call, collection) { id, transaction in try tags.removeAll(from: id, in: transaction) }
        return .empty(204)
    }
}
