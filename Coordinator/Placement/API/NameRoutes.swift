import CoordinatorPlatform
import ProtocolModel

/// `/resource_classes` and `/traits`.
struct NameRoutes: Sendable {
    let service: PlacementService

    var routes: [Route] {
        let traits = "/resource_providers/{uuid}/traits"
        return [
            Route(.get, "/resource_classes", handler: classes)
                .asking("placement:resource_classes:list"),
            Route(.post, "/resource_classes", action: "placement.class.create", handler: createClass)
                .asking("placement:resource_classes:create"),
            Route(.get, "/resource_classes/{name}", handler: showClass)
                .asking("placement:resource_classes:show"),
            Route(.put, "/resource_classes/{name}", action: "placement.class.ensure", handler: ensureClass)
                .asking("placement:resource_classes:update"),
            Route(.delete, "/resource_classes/{name}", action: "placement.class.delete", handler: deleteClass)
                .asking("placement:resource_classes:delete"),
            Route(.get, "/traits", handler: listTraits)
                .asking("placement:traits:list"),
            Route(.get, "/traits/{name}", handler: showTrait)
                .asking("placement:traits:show"),
            Route(.put, "/traits/{name}", action: "placement.trait.ensure", handler: ensureTrait)
                .asking("placement:traits:update"),
            Route(.delete, "/traits/{name}", action: "placement.trait.delete", handler: deleteTrait)
                .asking("placement:traits:delete"),
            Route(.get, traits, handler: providerTraits)
                .asking("placement:resource_providers:traits:list"),
            Route(.put, traits, action: "placement.provider.traits", handler: setTraits)
                .asking("placement:resource_providers:traits:update"),
            Route(.delete, traits, action: "placement.provider.traits", handler: clearTraits)
                .asking("placement:resource_providers:traits:delete")
        ]
    }

    // MARK: Resource classes

    private static func view(class name: String) -> JSON {
        ["name": JSON(name), "links": [["rel": "self", "href": JSON("/placement/resource_classes/\(name)")]]]
    }

    @Sendable private func classes(_ call: APICall) async throws -> APIResponse {
        try call.need(2)
        try call.authorize("placement:resource_classes:list")
        let own = try await call.database.read { try service.names.names(.resourceClass, in: $0) }
        return .json(["resource_classes": .array((ResourceClass.standard + own).map(Self.view))])
    }

    private static func custom(_ name: String) throws -> String {
        guard ResourceClass.isCustomName(name) else {
            throw PlacementBody.invalid("'\(name)' does not match '^CUSTOM\\\\_[A-Z0-9_]+$'")
        }
        return name
    }

    @Sendable private func createClass(_ call: APICall) async throws -> APIResponse {
        try call.need(2)
        try call.authorize("placement:resource_classes:create")
        let name = try Self.custom(try PlacementBody.text(try await call.json()["name"], "name", limit: 255))
        try await call.write(target: { name }) { transaction in
            guard try service.names.add(name, .resourceClass, in: transaction) else {
                throw APIError.conflict("Conflicting resource class already exists: \(name)")
            }
        }
        return .empty(
            201, headers: [(name: "Location", value: "\(call.baseURL)/placement/resource_classes/\(name)")])
    }

    @Sendable private func showClass(_ call: APICall) async throws -> APIResponse {
        try call.need(2)
        try call.authorize("placement:resource_classes:show")
        let name = call.parameter("name")
        guard try await call.database.read({ try service.isKnown(resourceClass: name, in: $0) }) else {
            throw APIError.notFound("No such resource class \(name).")
        }
        return .json(Self.view(class: name))
    }

    @Sendable private func ensureClass(_ call: APICall) async throws -> APIResponse {
        try call.need(7)
        try call.authorize("placement:resource_classes:update")
        let name = try Self.custom(call.parameter("name"))
        let isNew = try await call.write { try service.names.add(name, .resourceClass, in: $0) }
        return .empty(
            isNew ? 201 : 204,
            headers: [(name: "Location", value: "\(call.baseURL)/placement/resource_classes/\(name)")])
    }

    @Sendable private func deleteClass(_ call: APICall) async throws -> APIResponse {
        try call.need(2)
        try call.authorize("placement:resource_classes:delete")
        let name = call.parameter("name")
        guard !ResourceClass.standard.contains(name) else {
            throw APIError.badRequest(
                "Error in delete resource class: Cannot delete standard resource class \(name).")
        }
        try await call.write { transaction in
            guard try service.names.has(name, .resourceClass, in: transaction) else {
                throw APIError.notFound("No such resource class \(name).")
            }
            guard try !service.names.isUsed(name, .resourceClass, in: transaction) else {
                throw APIError.conflict(
                    "Error in delete resource class: Cannot delete resource class \(name). Class is in use in inventory."
                )
            }
            try service.names.remove(name, .resourceClass, in: transaction)
        }
        return .empty(204)
    }

    // MARK: Traits

    /// Only own traits: the standard ones describe hardware that nothing here reports yet.
    @Sendable private func listTraits(_ call: APICall) async throws -> APIResponse {
        try call.need(6)
        try call.authorize("placement:traits:list")
        var own = Trait.standard + (try await call.database.read { try service.names.names(.trait, in: $0) })
        if let filter = call.query("name") {
            if filter.hasPrefix("in:") {
                let wanted = Set(filter.dropFirst(3).split(separator: ",").map(String.init))
                own = own.filter { wanted.contains($0) }
            } else if filter.hasPrefix("startswith:") {
                own = own.filter { $0.hasPrefix(filter.dropFirst(11)) }
            } else {
                throw APIError.badRequest(
                    "Badly formatted name parameter. Expected name query string parameter in form: "
                        + "?name=[in|startswith]:[name1,name2|prefix]. Got: \"\(filter)\"")
            }
        }
        return .json(["traits": .array(own.map { JSON($0) })])
    }

    @Sendable private func showTrait(_ call: APICall) async throws -> APIResponse {
        try call.need(6)
        try call.authorize("placement:traits:show")
        let name = call.parameter("name")
        guard try await call.database.read({ try service.isKnown(trait: name, in: $0) }) else {
            throw APIError.notFound("No such trait(s): \(name).")
        }
        return .empty(204)
    }

    @Sendable private func ensureTrait(_ call: APICall) async throws -> APIResponse {
        try call.need(6)
        try call.authorize("placement:traits:update")
        let name = call.parameter("name")
        guard ResourceClass.isCustomName(name) else {
            throw APIError.badRequest(
                "The trait is invalid. A valid trait must be no longer than 255 characters, start with the prefix "
                    + "\"CUSTOM_\" and use following characters: \"A\"-\"Z\", \"0\"-\"9\" and \"_\"")
        }
        let isNew = try await call.write { try service.names.add(name, .trait, in: $0) }
        return .empty(
            isNew ? 201 : 204, headers: [(name: "Location", value: "\(call.baseURL)/placement/traits/\(name)")])
    }

    @Sendable private func deleteTrait(_ call: APICall) async throws -> APIResponse {
        try call.need(6)
        try call.authorize("placement:traits:delete")
        let name = call.parameter("name")
        guard !Trait.standard.contains(name) else { throw APIError.badRequest("Cannot delete standard trait \(name).") }
        try await call.write { transaction in
            guard try service.names.has(name, .trait, in: transaction) else {
                throw APIError.notFound("No such trait(s): \(name).")
            }
            guard try !service.names.isUsed(name, .trait, in: transaction) else {
                throw APIError.conflict("The trait \(name) is in use by a resource provider.")
            }
            try service.names.remove(name, .trait, in: transaction)
        }
        return .empty(204)
    }

    private func traits(of provider: Provider, in reader: any SQLReader) throws -> JSON {
        [
            "resource_provider_generation": JSON(provider.generation),
            "traits": .array(try service.names.traits(of: provider.key, in: reader).map { JSON($0) })
        ]
    }

    @Sendable private func providerTraits(_ call: APICall) async throws -> APIResponse {
        try call.need(6)
        try call.authorize("placement:resource_providers:traits:list")
        return .json(
            try await call.database.read { reader in
                try traits(of: try service.provider(call.parameter("uuid"), in: reader), in: reader)
            })
    }

    @Sendable private func setTraits(_ call: APICall) async throws -> APIResponse {
        try call.need(6)
        try call.authorize("placement:resource_providers:traits:update")
        let members = try PlacementBody.object(try await call.json(), "body")
        try PlacementBody.only(["traits", "resource_provider_generation"], members)
        let seen = try PlacementBody.number(
            members["resource_provider_generation"], "resource_provider_generation", 0...Int64.max)
        guard let items = members["traits"]?.arrayValue else { throw PlacementBody.invalid("'traits' is not an array") }
        let wanted = try items.map { try PlacementBody.text($0, "trait", limit: 255) }
        return .json(
            try await call.write { transaction in
                let provider = try service.provider(call.parameter("uuid"), in: transaction)
                let unknown = try wanted.filter { try !service.isKnown(trait: $0, in: transaction) }
                guard unknown.isEmpty else {
                    throw APIError.badRequest("No such trait \(unknown.joined(separator: ", "))")
                }
                try service.advance(provider, from: seen, at: call.now, in: transaction)
                try service.names.setTraits(wanted, of: provider.key, in: transaction)
                return try traits(of: try service.provider(provider.uuid, in: transaction), in: transaction)
            })
    }

    @Sendable private func clearTraits(_ call: APICall) async throws -> APIResponse {
        try call.need(6)
        try call.authorize("placement:resource_providers:traits:delete")
        try await call.write { transaction in
            let provider = try service.provider(call.parameter("uuid"), in: transaction)
            try service.advance(provider, from: provider.generation, at: call.now, in: transaction)
            try service.names.setTraits([], of: provider.key, in: transaction)
        }
        return .empty(204)
    }
}
