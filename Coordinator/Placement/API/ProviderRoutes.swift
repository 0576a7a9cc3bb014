import CoordinatorPlatform
import ProtocolModel

/// `/resource_providers` and what belongs to one.
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
                .asking("placement:resource_providers:allocations:list"),
            Route(.get, "\(one)/aggregates", handler: aggregates)
                .asking("placement:resource_providers:aggregates:list"),
            Route(.put, "\(one)/aggregates", action: "placement.provider.aggregates", handler: setAggregates)
                .asking("placement:resource_providers:aggregates:update")
        ]
    }

    private static func view(_ provider: Provider, _ call: APICall) -> JSON {
        let url = "/placement/resource_providers/\(provider.uuid)"
        var relations = ["inventories", "usages"]
        if call.isAtLeast(1) { relations.append("aggregates") }
        if call.isAtLeast(6) { relations.append("traits") }
        if call.isAtLeast(11) { relations.append("allocations") }
        return [
            "uuid": JSON(provider.uuid), "name": JSON(provider.name), "generation": JSON(provider.generation),
            "links": .array(
                [["rel": "self", "href": JSON(url)]]
                    + relations.map { ["rel": JSON($0), "href": JSON("\(url)/\($0)")] })
        ]
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:resource_providers:list")
        var allowed: Set<String> = ["name", "uuid"]
        if call.isAtLeast(3) { allowed.insert("member_of") }
        if call.isAtLeast(4) { allowed.insert("resources") }
        if let unknown = call.query.first(where: { !allowed.contains($0.name) })?.name {
            throw APIError.badRequest("Invalid query string parameters: '\(unknown)' does not match any of the regexes")
        }
        let resources = try call.query("resources").map { try PlacementBody.resources($0) }
        let members = call.query("member_of").map { text in
            Set((text.hasPrefix("in:") ? String(text.dropFirst(3)) : text).split(separator: ",").map(String.init))
        }
        let found = try await call.database.read { reader in
            try service.providers.all(in: reader).filter { provider in
                if let name = call.query("name"), provider.name != name { return false }
                if let uuid = call.query("uuid"), provider.uuid != uuid { return false }
                if let members,
                    try members.isDisjoint(with: service.names.aggregates(of: provider.key, in: reader))
                {
                    return false
                }
                guard let resources else { return true }
                let stock = try service.providers.inventories(of: provider.key, in: reader)
                return resources.allSatisfy { stock[$0]?.hasRoom(for: $1) ?? false }
            }
        }
        return .json(["resource_providers": .array(found.map { Self.view($0, call) })])
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:resource_providers:create")
        let members = try PlacementBody.object(try await call.json(), "body")
        try PlacementBody.only(["name", "uuid"], members)
        let name = try PlacementBody.text(members["name"], "name")
        let uuid = try members["uuid"].map { try PlacementBody.uuid($0, "uuid") }
        let made = try await call.write(target: { $0.uuid }) { transaction in
            try service.createProvider(name: name, uuid: uuid, at: call.now, in: transaction)
        }
        let location = "\(call.baseURL)/placement/resource_providers/\(made.uuid)"
        return .empty(201, headers: [(name: "Location", value: location)])
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:resource_providers:show")
        return .json(
            Self.view(try await call.database.read { try service.provider(call.parameter("uuid"), in: $0) }, call))
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:resource_providers:update")
        let members = try PlacementBody.object(try await call.json(), "body")
        try PlacementBody.only(["name"], members)
        let name = try PlacementBody.text(members["name"], "name")
        let updated = try await call.write { transaction in
            try service.renameProvider(call.parameter("uuid"), to: name, at: call.now, in: transaction)
        }
        return .json(Self.view(updated, call))
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:resource_providers:delete")
        try await call.write { try service.deleteProvider(call.parameter("uuid"), at: call.now, in: $0) }
        return .empty(204)
    }

    @Sendable private func usages(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:resource_providers:usages")
        return .json(
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
        return .json(
            try await call.database.read { reader in
                let provider = try service.provider(call.parameter("uuid"), in: reader)
                let claims = try service.allocations.claims(on: provider.key, in: reader)
                let byConsumer = Dictionary(grouping: claims, by: \.consumer.uuid).mapValues { claims -> JSON in
                    var resources: [String: JSON] = [:]
                    for claim in claims { resources[claim.claim.resourceClass] = JSON(claim.claim.amount) }
                    return ["resources": .object(resources)]
                }
                return [
                    "resource_provider_generation": JSON(provider.generation), "allocations": .object(byConsumer)
                ]
            })
    }

    @Sendable private func aggregates(_ call: APICall) async throws -> APIResponse {
        try call.need(1)
        try call.authorize("placement:resource_providers:aggregates:list")
        let found = try await call.database.read { reader in
            let provider = try service.provider(call.parameter("uuid"), in: reader)
            return try service.names.aggregates(of: provider.key, in: reader)
        }
        return .json(["aggregates": .array(found.map { JSON($0) })])
    }

    @Sendable private func setAggregates(_ call: APICall) async throws -> APIResponse {
        try call.need(1)
        try call.authorize("placement:resource_providers:aggregates:update")
        guard let items = try await call.jsonValue().arrayValue else {
            throw PlacementBody.invalid("the body is not of type 'array'")
        }
        let uuids = try items.map { try PlacementBody.uuid($0, "aggregate") }
        guard Set(uuids).count == uuids.count else { throw PlacementBody.invalid("the items are not unique") }
        try await call.write { transaction in
            try service.setAggregates(uuids, of: call.parameter("uuid"), at: call.now, in: transaction)
        }
        return .json(["aggregates": .array(uuids.sorted().map { JSON($0) })])
    }
}

extension Inventory {
    func hasRoom(for amount: Int) -> Bool {
        used + amount <= capacity && amount >= minUnit && amount <= maxUnit && amount % stepSize == 0
    }
}
