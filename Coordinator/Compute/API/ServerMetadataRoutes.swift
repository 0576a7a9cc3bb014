import CoordinatorPlatform
import ProtocolModel

/// `/servers/{id}/metadata`.
struct ServerMetadataRoutes: Sendable {
    let parts: ComputeParts

    var all: [Route] {
        let path = "/v2.1/servers/{server_id}/metadata"
        return [
            Route(.get, path, handler: list).askingCompute("server-metadata:index"),
            Route(.post, path, action: "compute.server.metadata.create") {
                try await change($0, "create", keepsOthers: true)
            }.askingCompute("server-metadata:create"),
            Route(.put, path, action: "compute.server.metadata.update") {
                try await change($0, "update_all", keepsOthers: false)
            }.askingCompute("server-metadata:update_all"),
            Route(.get, path + "/{key}", handler: show).askingCompute("server-metadata:show"),
            Route(.put, path + "/{key}", action: "compute.server.metadata.set", handler: set)
                .askingCompute("server-metadata:update"),
            Route(.delete, path + "/{key}", action: "compute.server.metadata.delete", handler: delete)
                .askingCompute("server-metadata:delete")
        ]
    }

    /// The items below a name.
    private static func items(_ body: JSON, under name: String) throws -> [String: String] {
        try BodySchema(blank: [:], [.required(name, \.self, CreateServerForm.metadata)])
            .read(body, wording: Nova.body)
    }

    private func read(_ call: APICall, _ word: String) async throws -> [String: String] {
        let permissions = try call.permissions()
        let access = ServerAccess(parts: parts)
        return try await call.database.read { reader in
            try access.find(
                call.parameter("server_id"), asking: "server-metadata:\(word)", by: permissions, in: reader
            ).metadata
        }
    }

    private static func json(_ metadata: [String: String]) -> JSON { .object(metadata.mapValues(JSON.string)) }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        .json(["metadata": Self.json(try await read(call, "index"))])
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let key = call.parameter("key")
        guard let value = try await read(call, "show")[key] else {
            throw APIError.notFound("Metadata item was not found")
        }
        return .json(["meta": [key: .string(value)]])
    }

    private func change(_ call: APICall, _ word: String, keepsOthers: Bool) async throws -> APIResponse {
        let origin = try call.commandOrigin()
        let body = try await call.json()
        let given = try Self.items(body, under: "metadata")
        let changes = ServerChanges(parts: parts)
        let result = try await call.write { transaction in
            try changes.updateMetadata(call.parameter("server_id"), word: word, origin: origin, in: transaction) {
                old in
                keepsOthers ? old.merging(given) { _, new in new } : given
            }
        }
        return .json(["metadata": Self.json(result)])
    }

    @Sendable private func set(_ call: APICall) async throws -> APIResponse {
        let origin = try call.commandOrigin()
        let body = try await call.json()
        let given = try Self.items(body, under: "meta")
        let key = call.parameter("key")
        guard given.count == 1, given[key] != nil else {
            throw APIError.badRequest("Request body and URI mismatch")
        }
        let changes = ServerChanges(parts: parts)
        _ = try await call.write { transaction in
            try changes.updateMetadata(
                call.parameter("server_id"), word: "update", origin: origin, in: transaction
            ) { $0.merging(given) { _, new in new } }
        }
        return .json(["meta": Self.json(given)])
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        let origin = try call.commandOrigin()
        let key = call.parameter("key")
        let changes = ServerChanges(parts: parts)
        _ = try await call.write { transaction in
            try changes.updateMetadata(
                call.parameter("server_id"), word: "delete", origin: origin, in: transaction
            ) { old in
                var metadata = old
                guard metadata.removeValue(forKey: key) != nil else {
                    throw APIError.notFound("Metadata item was not found")
                }
                return metadata
            }
        }
        return .empty(204)
    }
}
