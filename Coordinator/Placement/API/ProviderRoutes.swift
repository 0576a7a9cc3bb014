import CoordinatorPlatform
import ProtocolModel

/// `/resource_providers`, and what is taken of one.
struct ProviderRoutes: Sendable {
    let service: PlacementService

    var routes: [Route] {
        let one = "/resource_providers/{uuid}"
        return [
            Route(.get, "/resource_providers", handler: list)
                .asking("placement:resource_providers:list"),
            Route(.post, "/resource_providers", action: "placement.provider.create", handler: create)
                .asking("placement:resource_providers:create"),
            Route(.get, one, handler: show)
                .asking("placement:resource_providers:show"),
            Route(.put, one, action: "placement.provider.update", handler: update)
                .asking("placement:resource_providers:update"),
            Route(.delete, one, action: "placement.provider.delete", handler: delete)
                .asking("placement:resource_providers:delete"),
            Route(.get, "\(one)/usages", handler: usages)
                .asking("placement:resource_providers:usages"),
            Route(.get, "\(one)/allocations", handler: allocations)
                .asking("placement:resource_providers:allocations:list")
        ]
    }

    private static func view(_ provider: Provider, _ call: APICall) -> JSON {
        let url = "/placement/resource_providers/\(provider.uuid)"
        var relations = ["inventories", "usages"]
        if call.isAtLeast(1) { relations.append("aggregates") }
        if call.isAtLeast(6) { relations.append("traits") }
        if call.isAtLeast(11) { relations.append("allocations") }
        var view: [String: JSON] = [
            "uuid": JSON(provider.uuid), "name": JSON(provider.name), "generation": JSON(provider.generation),
            "links": .array(
                [["rel": "self", "href": JSON(url)]]
                    + relations.map { ["rel": JSON($0), "href": JSON("\(url)/\($0)")] })
        ]
        if call.isAtLeast(14) {
            view["parent_provider_uuid"] = JSON(provider.parent)
            view["root_provider_uuid"] = JSON(provider.root)
        }
        return .object(view)
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:resource_providers:list")
        let filter = try PlacementQuery.providers(call)
        let found = try await call.database.read { try service.list(filter, in: $0) }
        return call.answer(
            ["resource_providers": .array(found.map { Self.view($0, call) })],
            modified: found.map(\.updatedAt).max())
    }

    /// `nil` where the body does not name a parent.
    private static func parent(_ members: [String: JSON]) throws -> String?? {
        guard let value = members["parent_provider_uuid"] else { return .none }
        return .some(value.isNull ? nil : try PlacementBody.uuid(value, "parent_provider_uuid"))
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:resource_providers:create")
        let members = try PlacementBody.object(try await call.json(), "body")
        try PlacementBody.only(
            call.isAtLeast(14) ? ["name", "uuid", "parent_provider_uuid"] : ["name", "uuid"], members)
        let name = try PlacementBody.text(members["name"], "name")
        let uuid = try members["uuid"].map { try PlacementBody.uuid($0, "uuid") }
        let parent = try Self.parent(members) ?? nil
        let made = try await call.write(target: { $0.uuid }) { transaction in
            try service.createProvider(name: name, uuid: uuid, below: parent, at: call.now, in: transaction)
        }
        let headers = [(name: "Location", value: "\(call.baseURL)/placement/resource_providers/\(made.uuid)")]
        guard call.isAtLeast(20) else { return .empty(201, headers: headers) }
        return call.answer(Self.view(made, call), modified: made.updatedAt, headers: headers)
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:resource_providers:show")
        let found = try await call.database.read { try service.provider(call.parameter("uuid"), in: $0) }
        return call.answer(Self.view(found, call), modified: found.updatedAt)
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:resource_providers:update")
        let members = try PlacementBody.object(try await call.json(), "body")
        try PlacementBody.only(call.isAtLeast(14) ? ["name", "parent_provider_uuid"] : ["name"], members)
        let name = try PlacementBody.text(members["name"], "name")
        let place = try Self.parent(members)
        let updated = try await call.write { transaction in
            try service.updateProvider(
                call.parameter("uuid"), name: name, place: place, mayMove: call.isAtLeast(37), at: call.now,
                in: transaction)
        }
        return call.answer(Self.view(updated, call), modified: updated.updatedAt)
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:resource_providers:delete")
        try await call.write { try service.deleteProvider(call.parameter("uuid"), at: call.now, in: $0) }
        return .empty(204)
    }

    @Sendable private func usages(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:resource_providers:usages")
        return call.answer(
            try await call.database.read { reader in
                let provider = try service.provider(call.parameter("uuid"), in: reader)
                let stock = try service.providers.inventories(of: provider.key, in: reader)
                return [
                    "resource_provider_generation": JSON(provider.generation),
                    "usages": .object(stock.mapValues { JSON($0.used) })
                ]
            })
    }

    @Sendable private func allocations(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:resource_providers:allocations:list")
        let (provider, held) = try await call.database.read { reader in
            let provider = try service.provider(call.parameter("uuid"), in: reader)
            return (provider, try service.allocations.claims(on: provider.key, in: reader))
        }
        let byConsumer = Dictionary(grouping: held, by: \.consumer.uuid).mapValues { held -> JSON in
            var resources: [String: JSON] = [:]
            for held in held { resources[held.claim.resourceClass] = JSON(held.claim.amount) }
            var view: [String: JSON] = ["resources": .object(resources)]
            if call.isAtLeast(28) { view["consumer_generation"] = JSON(held.first?.consumer.generation) }
            return .object(view)
        }
        return call.answer(
            ["resource_provider_generation": JSON(provider.generation), "allocations": .object(byConsumer)],
            modified: held.map(\.consumer.updatedAt).max())
    }
}
