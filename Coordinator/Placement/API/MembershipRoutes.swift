import CoordinatorPlatform
import ProtocolModel

/// The traits and aggregates of one provider.
struct MembershipRoutes: Sendable {
    let service: PlacementService

    var routes: [Route] {
        let traits = "/resource_providers/{uuid}/traits"
        let aggregates = "/resource_providers/{uuid}/aggregates"
        return [
            Route(.get, traits, handler: showTraits)
                .asking("placement:resource_providers:traits:list"),
            Route(.put, traits, action: "placement.provider.traits", handler: setTraits)
                .asking("placement:resource_providers:traits:update"),
            Route(.delete, traits, action: "placement.provider.traits", handler: clearTraits)
                .asking("placement:resource_providers:traits:delete"),
            Route(.get, aggregates, handler: showAggregates)
                .asking("placement:resource_providers:aggregates:list"),
            Route(.put, aggregates, action: "placement.provider.aggregates", handler: setAggregates)
                .asking("placement:resource_providers:aggregates:update")
        ]
    }

    // MARK: Traits

    private func traits(of provider: Provider, _ call: APICall, in reader: any SQLReader) throws -> APIResponse {
        call.answer([
            "resource_provider_generation": JSON(provider.generation),
            "traits": .array(try service.names.traits(of: provider.key, in: reader).map { JSON($0) })
        ])
    }

    @Sendable private func showTraits(_ call: APICall) async throws -> APIResponse {
        try call.need(6)
        try call.authorize("placement:resource_providers:traits:list")
        return try await call.database.read { reader in
            try traits(of: try service.provider(call.parameter("uuid"), in: reader), call, in: reader)
        }
    }

    @Sendable private func setTraits(_ call: APICall) async throws -> APIResponse {
        try call.need(6)
        try call.authorize("placement:resource_providers:traits:update")
        let members = try PlacementBody.object(try await call.json(), "body")
        try PlacementBody.only(["traits", "resource_provider_generation"], members)
        let seen = try PlacementBody.generation(members)
        guard let items = members["traits"]?.arrayValue else { throw PlacementBody.invalid("'traits' is not an array") }
        let wanted = try items.map { try PlacementBody.text($0, "trait", limit: 255) }
        return try await call.write { transaction in
            let provider = try service.setTraits(
                wanted, of: call.parameter("uuid"), seen: seen, at: call.now, in: transaction)
            return try traits(of: provider, call, in: transaction)
        }
    }

    @Sendable private func clearTraits(_ call: APICall) async throws -> APIResponse {
        try call.need(6)
        try call.authorize("placement:resource_providers:traits:delete")
        try await call.write { transaction in
            let provider = try service.provider(call.parameter("uuid"), in: transaction)
            _ = try service.setTraits(
                [], of: provider.uuid, seen: provider.generation, at: call.now, in: transaction)
        }
        return .empty(204)
    }

    // MARK: Aggregates

    private static func view(_ uuids: [String], of provider: Provider, _ call: APICall) -> APIResponse {
        var view: [String: JSON] = ["aggregates": .array(uuids.map { JSON($0) })]
        if call.isAtLeast(19) { view["resource_provider_generation"] = JSON(provider.generation) }
        return call.answer(.object(view))
    }

    @Sendable private func showAggregates(_ call: APICall) async throws -> APIResponse {
        try call.need(1)
        try call.authorize("placement:resource_providers:aggregates:list")
        return try await call.database.read { reader in
            let provider = try service.provider(call.parameter("uuid"), in: reader)
            return Self.view(try service.names.aggregates(of: provider.key, in: reader), of: provider, call)
        }
    }

    @Sendable private func setAggregates(_ call: APICall) async throws -> APIResponse {
        try call.need(1)
        try call.authorize("placement:resource_providers:aggregates:update")
        var body = try await call.jsonValue()
        var seen: Int?
        if call.isAtLeast(19) {
            let members = try PlacementBody.object(body, "body")
            try PlacementBody.only(["aggregates", "resource_provider_generation"], members)
            seen = try PlacementBody.generation(members)
            body = members["aggregates"] ?? .null
        }
        guard let items = body.arrayValue else { throw PlacementBody.invalid("the aggregates are not of type 'array'") }
        let uuids = try items.map { try PlacementBody.uuid($0, "aggregate") }
        guard Set(uuids).count == uuids.count else { throw PlacementBody.invalid("the items are not unique") }
        return try await call.write { [seen] transaction in
            let provider = try service.setAggregates(
                uuids, of: call.parameter("uuid"), seen: seen, at: call.now, in: transaction)
            return Self.view(uuids.sorted(), of: provider, call)
        }
    }
}
