import CoordinatorPlatform
import ProtocolModel

/// `/types/{id}/extra_specs`.
struct TypeSpecRoutes: Sendable {
    let parts: BlockStorageParts

    var all: [Route] {
        let path = "/types/{type_id}/extra_specs"
        let rule = "volume_extension:types_extra_specs:"
        let sensitive = rule + "read_sensitive"
        return [
            Route.volume(.get, path, handler: list).gated(by: rule + "index").asking(sensitive),
            Route.volume(.post, path, action: "volume.type.specs.create", handler: create)
                .asking(rule + "create"),
            Route.volume(.get, path + "/{key}", handler: show).gated(by: rule + "show").asking(sensitive),
            Route.volume(.put, path + "/{key}", action: "volume.type.specs.update", handler: update)
                .asking(rule + "update"),
            Route.volume(.delete, path + "/{key}", action: "volume.type.specs.delete", handler: delete)
                .asking(rule + "delete")
        ]
    }

    static let specs = BodyFormat<[String: String]>.map(
        keys: .characters("-_:. ", pattern: "^[a-zA-Z0-9-_:. ]{1,255}$"), values: .text(0...255), most: 256)

    private static func json(_ specs: [String: String]) -> JSON { .object(specs.mapValues(JSON.string)) }

    private func read(_ call: APICall) async throws -> [String: String] {
        let caller = try call.requireCaller()
        let catalog = TypeCatalog(parts: parts)
        let type = try await call.database.read { reader in
            try catalog.type(call.parameter("type_id"), caller: caller, in: reader)
        }
        return TypeRoutes.specs(type, call)
    }

    /// What a type asks of pools changes only while no volume was placed by it.
    private func change(
        _ call: APICall, _ body: @escaping @Sendable (inout [String: String]) throws -> Void
    ) async throws {
        let parts = parts
        _ = try await call.write(target: { _ in call.parameter("type_id") }) { transaction in
            try TypeCatalog(parts: parts).change(call.parameter("type_id"), at: call.now, in: transaction) { type in
                guard try !parts.volumes.isUsed(type.id, in: transaction) else {
                    throw APIError.badRequest("Volume Type is currently in use.")
                }
                try body(&type.extraSpecs)
                guard type.extraSpecs.count <= 256 else {
                    throw BlockStorageError.input("A volume type has at most 256 extra specs.")
                }
            }
        }
    }

    private func missing(_ call: APICall) -> APIError {
        .notFound(
            "Volume Type \(call.parameter("type_id")) has no extra specs with key \(call.parameter("key")).")
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        .json(["extra_specs": Self.json(try await read(call))])
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let key = call.parameter("key")
        guard let value = try await read(call)[key] else { throw missing(call) }
        return .json([key: .string(value)])
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        try call.authorize("volume_extension:types_extra_specs:create")
        let given = try BodySchema(blank: [:], [.required("extra_specs", \.self, Self.specs)])
            .read(try await call.json(), wording: Cinder.body)
        try await change(call) { $0.merge(given) { _, new in new } }
        return .json(["extra_specs": Self.json(given)])
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        try call.authorize("volume_extension:types_extra_specs:update")
        let given = try Cinder.read(try await call.json(), Self.specs)
        let key = call.parameter("key")
        guard given.count == 1, let value = given[key] else {
            throw APIError.badRequest("Request body and URI mismatch")
        }
        try await change(call) { $0[key] = value }
        return .json([key: .string(value)])
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        try call.authorize("volume_extension:types_extra_specs:delete")
        let key = call.parameter("key")
        let failure = missing(call)
        try await change(call) { specs in
            guard specs.removeValue(forKey: key) != nil else { throw failure }
        }
        return .empty(202)
    }
}
