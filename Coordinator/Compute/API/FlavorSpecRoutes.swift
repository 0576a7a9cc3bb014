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

    private static let specs = BodyFormat<[String: String]>.map(
        keys: .key,
        values: .either([
            .text(0...255),
            BodyFormat<Double>.number(above: -.infinity, orText: true).map { _, json in json.pythonText }
        ]), most: 256)

    /// From 2.86 on names and values are checked.
    private static func check(_ specs: [String: String], _ version: Microversion) throws {
        guard version.has(86) else { return }
        for (name, value) in specs.sorted(by: { $0.key < $1.key }) {
            if let problem = FlavorDemands.problem(name, value) { throw APIError.badRequest(problem) }
        }
    }

    private static func json(_ specs: [String: String]) -> JSON { .object(specs.mapValues(JSON.string)) }

    private func read(_ call: APICall) async throws -> [String: String] {
        let caller = try call.requireCaller()
        let catalog = FlavorCatalog(parts: parts)
        return try await call.database.read { reader in
            try catalog.flavor(call.parameter("flavor_id"), caller: caller, in: reader).snapshot.extraSpecs
        }
    }

    private func change(
        _ call: APICall, _ body: @escaping @Sendable (inout [String: String]) throws -> Void
    ) async throws {
        let catalog = FlavorCatalog(parts: parts)
        _ = try await call.write { transaction in
            try catalog.change(call.parameter("flavor_id"), in: transaction) { try body(&$0.snapshot.extraSpecs) }
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
        let given = try BodySchema(blank: [:], [.required("extra_specs", \.self, Self.specs)])
            .read(body, wording: Nova.body)
        try Self.check(given, call.microversion)
        try await change(call) { $0.merge(given) { _, new in new } }
        return .json(["extra_specs": Self.json(given)])
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        try call.authorizeCompute("os-flavor-extra-specs:update")
        let body = try await call.json()
        let given = try Nova.read(body, Self.specs)
        let key = call.parameter("key")
        guard given.count == 1, let value = given[key] else {
            throw APIError.badRequest("Request body and URI mismatch")
        }
        try Self.check(given, call.microversion)
        try await change(call) { $0[key] = value }
        return .json([key: .string(value)])
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        try call.authorizeCompute("os-flavor-extra-specs:delete")
        let key = call.parameter("key")
        let failure = missing(call)
        try await change(call) { specs in
            guard specs.removeValue(forKey: key) != nil else { throw failure }
        }
        return .empty(200)
    }
}
