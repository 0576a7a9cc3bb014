import CoordinatorPlatform
import ProtocolModel

/// `/flavors/{id}/os-extra_specs`.
struct FlavorSpecRoutes: Sendable {
    let parts: ComputeParts

    var all: [Route] {
        let path = "/v2.1/flavors/{flavor_id}/os-extra_specs"
        return [
            Route(.get, path, handler: list).gatedCompute(by: "os-flavor-extra-specs:index"),
            Route(.post, path, action: "compute.flavor.specs.create", handler: create)
                .askingCompute("os-flavor-extra-specs:create"),
            Route(.get, path + "/{key}", handler: show).gatedCompute(by: "os-flavor-extra-specs:show"),
            Route(.put, path + "/{key}", action: "compute.flavor.specs.update", handler: update)
                .askingCompute("os-flavor-extra-specs:update"),
            Route(.delete, path + "/{key}", action: "compute.flavor.specs.delete", handler: delete)
                .askingCompute("os-flavor-extra-specs:delete")
        ]
    }

    /// - Throws: ``APIError`` 404.
    static func find(_ call: APICall, _ store: FlavorStore, in reader: any SQLReader) throws -> Flavor {
        let id = call.parameter("flavor_id")
        guard let flavor = try store.find(id, in: reader) else {
            throw APIError.notFound("Flavor \(id) could not be found.")
        }
        return flavor
    }

    private static let schema = BodySchema.map(.extraSpecKey, .oneOf([.string(max: 255), .number(above: -.infinity)]))

    private static func json(_ specs: [String: String]) -> JSON { .object(specs.mapValues(JSON.string)) }

    private func read(_ call: APICall) async throws -> [String: String] {
        let caller = try call.requireCaller()
        let rules = CatalogRules(parts: parts)
        return try await call.database.read { reader in
            try rules.flavor(call.parameter("flavor_id"), caller: caller, in: reader).snapshot.extraSpecs
        }
    }

    private func change(
        _ call: APICall, _ body: @escaping @Sendable ([String: String]) throws -> [String: String]
    ) async throws {
        let store = parts.flavors
        try await call.write { transaction in
            let flavor = try Self.find(call, store, in: transaction)
            try store.update(
                flavor.id, description: flavor.description, extraSpecs: body(flavor.snapshot.extraSpecs),
                in: transaction)
        }
    }

    private func missing(_ call: APICall) -> APIError {
        .notFound("Flavor \(call.parameter("flavor_id")) has no extra specs with key \(call.parameter("key")).")
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
        try call.authorizeCompute("os-flavor-extra-specs:create")
        let body = try await call.json()
        try BodySchema.object(["extra_specs": Self.schema], required: ["extra_specs"]).check(body)
        let given = (body["extra_specs"]?.objectValue ?? [:]).mapValues(Python.text)
        try await change(call) { $0.merging(given) { _, new in new } }
        return .json(["extra_specs": Self.json(given)])
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        try call.authorizeCompute("os-flavor-extra-specs:update")
        let body = try await call.json()
        try Self.schema.check(body)
        let key = call.parameter("key")
        guard let members = body.objectValue, members.count == 1, let value = members[key].map(Python.text) else {
            throw APIError.badRequest("Request body and URI mismatch")
        }
        try await change(call) { $0.merging([key: value]) { _, new in new } }
        return .json([key: .string(value)])
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        try call.authorizeCompute("os-flavor-extra-specs:delete")
        let key = call.parameter("key")
        let failure = missing(call)
        try await change(call) { old in
            var specs = old
            guard specs.removeValue(forKey: key) != nil else { throw failure }
            return specs
        }
        return .empty(200)
    }
}
