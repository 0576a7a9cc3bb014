import CoordinatorPlatform
import ProtocolModel

/// `/resource_classes` and `/traits`.
struct NameRoutes: Sendable {
    let service: PlacementService

    var routes: [Route] {
        [
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
                .asking("placement:traits:delete")
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
        return call.answer(["resource_classes": .array((ResourceClass.standard + own).map(Self.view))])
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
        BodyTrace.note(["name"])
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
        return call.answer(Self.view(class: name))
    }

    /// Before 1.7 the same call gives a class another name.
    @Sendable private func ensureClass(_ call: APICall) async throws -> APIResponse {
        try call.need(2)
        try call.authorize("placement:resource_classes:update")
        guard call.isAtLeast(7) else { return try await renameClass(call) }
        let name = try Self.custom(call.parameter("name"))
        let isNew = try await call.write { try service.names.add(name, .resourceClass, in: $0) }
        return .empty(
            isNew ? 201 : 204,
            headers: [(name: "Location", value: "\(call.baseURL)/placement/resource_classes/\(name)")])
    }

    private func renameClass(_ call: APICall) async throws -> APIResponse {
        let members = try PlacementBody.object(try await call.json(), "body")
        try PlacementBody.only(["name"], members)
        let name = try Self.custom(try PlacementBody.text(members["name"], "name", limit: 255))
        try await call.write {
            try service.renameClass(call.parameter("name"), to: name, at: call.now, in: $0)
        }
        return call.answer(Self.view(class: name))
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

    @Sendable private func listTraits(_ call: APICall) async throws -> APIResponse {
        try call.need(6)
        try call.authorize("placement:traits:list")
        try PlacementQuery.only(["name", "associated"], call)
        let associated = try call.query("associated").map(PlacementQuery.flag)
        let (own, used) = try await call.database.read { reader in
            (
                try service.names.names(.trait, in: reader),
                associated == nil ? [] : try service.names.usedTraits(in: reader)
            )
        }
        var found = Trait.standard + own
        if let filter = call.query("name") { found = found.filter(try PlacementQuery.traitNames(filter)) }
        if let associated { found = found.filter { used.contains($0) == associated } }
        return call.answer(["traits": .array(found.map { JSON($0) })])
    }

    @Sendable private func showTrait(_ call: APICall) async throws -> APIResponse {
        try call.need(6)
        try call.authorize("placement:traits:show")
        let name = call.parameter("name")
        guard try await call.database.read({ try service.isKnown(trait: name, in: $0) }) else {
            throw APIError.notFound("No such trait(s): \(name).")
        }
        return .empty(204, headers: call.freshness())
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
            isNew ? 201 : 204,
            headers: [(name: "Location", value: "\(call.baseURL)/placement/traits/\(name)")] + call.freshness())
    }

    @Sendable private func deleteTrait(_ call: APICall) async throws -> APIResponse {
        try call.need(6)
        try call.authorize("placement:traits:delete")
        let name = call.parameter("name")
        guard !Trait.isStandard(name) else { throw APIError.badRequest("Cannot delete standard trait \(name).") }
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
}
