import CoordinatorPlatform
import ProtocolModel

/// `/servers/{id}/tags`, from 2.26 on.
struct ServerTagRoutes: Sendable {
    let parts: ComputeParts

    /// Tags a server can have.
    private static let limit = 50

    var all: [Route] {
        let path = "/v2.1/servers/{server_id}/tags"
        return [
            Route(.get, path, handler: list).askingCompute("os-server-tags:index"),
            Route(.put, path, action: "compute.server.tags.replace", handler: replace)
                .askingCompute("os-server-tags:update_all"),
            Route(.delete, path, action: "compute.server.tags.clear", handler: clear)
                .askingCompute("os-server-tags:delete_all"),
            Route(.get, path + "/{tag}", handler: check).askingCompute("os-server-tags:show"),
            Route(.put, path + "/{tag}", action: "compute.server.tags.add", handler: add)
                .askingCompute("os-server-tags:update"),
            Route(.delete, path + "/{tag}", action: "compute.server.tags.remove", handler: remove)
                .askingCompute("os-server-tags:delete")
        ]
    }

    private func requireVersion(_ call: APICall) throws {
        guard call.microversion.has(26) else { throw APIError.notFound("The resource could not be found.") }
    }

    private func read(_ call: APICall, _ word: String) async throws -> [String] {
        try requireVersion(call)
        let permissions = try call.permissions()
        let access = ServerAccess(parts: parts)
        let tags = parts.tags
        return try await call.database.read { reader in
            let server = try access.find(
                call.parameter("server_id"), asking: "os-server-tags:\(word)", by: permissions, in: reader)
            return try tags.tags(of: server.id, in: reader)
        }
    }

    /// Changes the tags and marks the server changed.
    private func change<T: Sendable>(
        _ call: APICall, _ word: String, _ body: @escaping @Sendable (ServerID, any SQLTransaction) throws -> T
    ) async throws -> T {
        try requireVersion(call)
        let origin = try call.commandOrigin()
        let parts = parts
        return try await call.write { transaction in
            var server = try ServerAccess(parts: parts).findToChange(
                call.parameter("server_id"), rule: "os-server-tags:\(word)", by: origin.permissions, ignoringLock: true,
                in: transaction)
            guard [.active, .paused, .suspended, .stopped].contains(server.state.vm) else {
                throw APIError.conflict(
                    "Cannot 'update tags' instance \(server.id) while it is in vm_state \(server.state.vm.rawValue)")
            }
            let result = try body(server.id, transaction)
            try parts.servers.save(&server, at: origin.now, in: transaction)
            return result
        }
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        .json(["tags": .array(try await read(call, "index").map(JSON.string))])
    }

    private func missing(_ call: APICall) -> APIError {
        .notFound("Server \(call.parameter("server_id")) has no tag '\(call.parameter("tag"))'")
    }

    @Sendable private func check(_ call: APICall) async throws -> APIResponse {
        guard try await read(call, "show").contains(call.parameter("tag")) else { throw missing(call) }
        return .empty(204)
    }

    @Sendable private func add(_ call: APICall) async throws -> APIResponse {
        let tag = call.parameter("tag")
        guard (1...60).contains(tag.count), TextFormat.tag.accepts(tag) else {
            throw APIError.badRequest(
                "Tag '\(tag)' is invalid. It must be a non empty string without characters '/' and ',' and at most 60 "
                    + "characters long.")
        }
        let tags = parts.tags
        let isNew = try await change(call, "update") { server, transaction in
            guard try tags.add(tag, to: server, in: transaction) else { return false }
            guard try tags.tags(of: server, in: transaction).count <= Self.limit else {
                throw APIError.badRequest("The number of tags exceeded the per-server limit \(Self.limit)")
            }
            return true
        }
        guard isNew else { return .empty(204) }
        let path = "servers/\(call.parameter("server_id"))/tags/\(PercentCoding.encode(tag))"
        return .empty(201, headers: [(name: "Location", value: Links(call.baseURL).version + path)])
    }

    @Sendable private func replace(_ call: APICall) async throws -> APIResponse {
        let body = try await call.json()
        let list = BodySchema.array(.string(.tag, min: 1, max: 60), max: Self.limit)
        try BodySchema.object(["tags": list], required: ["tags"]).check(body)
        let wanted = (body["tags"]?.arrayValue ?? []).compactMap(\.stringValue)
        let tags = parts.tags
        let result = try await change(call, "update_all") { server, transaction in
            try tags.removeAll(from: server, in: transaction)
            for tag in wanted { _ = try tags.add(tag, to: server, in: transaction) }
            return try tags.tags(of: server, in: transaction)
        }
        return .json(["tags": .array(result.map(JSON.string))])
    }

    @Sendable private func clear(_ call: APICall) async throws -> APIResponse {
        let tags = parts.tags
        try await change(call, "delete_all") { try tags.removeAll(from: $0, in: $1) }
        return .empty(204)
    }

    @Sendable private func remove(_ call: APICall) async throws -> APIResponse {
        let tags = parts.tags
        let tag = call.parameter("tag")
        let failure = missing(call)
        try await change(call, "delete") { server, transaction in
            guard try tags.remove(tag, from: server, in: transaction) else { throw failure }
        }
        return .empty(204)
    }
}
