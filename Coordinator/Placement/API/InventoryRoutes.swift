import CoordinatorPlatform
import ProtocolModel

/// `/resource_providers/{uuid}/inventories`.
struct InventoryRoutes: Sendable {
    let service: PlacementService

    var routes: [Route] {
        let all = "/resource_providers/{uuid}/inventories"
        return [
            Route(.get, all, handler: list)
                .asking("placement:resource_providers:inventories:list"),
            Route(.put, all, action: "placement.inventory.replace", handler: replace)
                .asking("placement:resource_providers:inventories:update"),
            Route(.post, all, action: "placement.inventory.create", handler: create)
                .asking("placement:resource_providers:inventories:create"),
            Route(.delete, all, action: "placement.inventory.clear", handler: clear)
                .asking("placement:resource_providers:inventories:delete"),
            Route(.get, "\(all)/{class}", handler: show)
                .asking("placement:resource_providers:inventories:show"),
            Route(.put, "\(all)/{class}", action: "placement.inventory.update", handler: update)
                .asking("placement:resource_providers:inventories:update"),
            Route(.delete, "\(all)/{class}", action: "placement.inventory.delete", handler: delete)
                .asking("placement:resource_providers:inventories:delete")
        ]
    }

    private static func view(_ inventory: Inventory, generation: Int) -> JSON {
        var view = PlacementBody.view(inventory)
        view["resource_provider_generation"] = JSON(generation)
        return .object(view)
    }

    private func all(_ call: APICall, in reader: any SQLReader) throws -> APIResponse {
        let provider = try service.provider(call.parameter("uuid"), in: reader)
        let stock = try service.providers.inventories(of: provider.key, in: reader)
        return call.answer(
            [
                "resource_provider_generation": JSON(provider.generation),
                "inventories": .object(stock.mapValues { .object(PlacementBody.view($0)) })
            ], modified: provider.updatedAt)
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:resource_providers:inventories:list")
        return try await call.database.read { try all(call, in: $0) }
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:resource_providers:inventories:show")
        let (provider, inventory) = try await call.database.read {
            try service.inventory(of: call.parameter("class"), on: call.parameter("uuid"), in: $0)
        }
        return call.answer(
            Self.view(inventory, generation: provider.generation), modified: provider.updatedAt)
    }

    @Sendable private func replace(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:resource_providers:inventories:update")
        let members = try PlacementBody.object(try await call.json(), "body")
        try PlacementBody.only(["resource_provider_generation", "inventories"], members)
        let seen = try PlacementBody.generation(members)
        let wanted = try PlacementBody.inventories(members["inventories"])
        return try await call.write { transaction in
            let provider = try service.provider(call.parameter("uuid"), in: transaction)
            try service.setInventories(
                wanted, of: provider, seen: seen, mayReserveAll: call.isAtLeast(26), at: call.now, in: transaction)
            return try all(call, in: transaction)
        }
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:resource_providers:inventories:create")
        let members = try PlacementBody.object(try await call.json(), "body")
        let name = try PlacementBody.text(members["resource_class"], "resource_class", limit: 255)
        let inventory = try PlacementBody.inventory(members)
        let seen = members["resource_provider_generation"]?.intValue.map(Int.init)
        let made = try await call.write { transaction in
            let generation = try service.createInventory(
                inventory, of: name, on: call.parameter("uuid"), seen: seen, mayReserveAll: call.isAtLeast(26),
                at: call.now, in: transaction)
            return Self.view(inventory, generation: generation)
        }
        let location = "\(call.baseURL)\(call.path)/\(name)"
        return call.answer(made, status: 201, headers: [(name: "Location", value: location)])
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:resource_providers:inventories:update")
        let members = try PlacementBody.object(try await call.json(), "body")
        let seen = try PlacementBody.generation(members)
        let inventory = try PlacementBody.inventory(members)
        return call.answer(
            try await call.write { transaction in
                let generation = try service.updateInventory(
                    inventory, of: call.parameter("class"), on: call.parameter("uuid"), seen: seen,
                    mayReserveAll: call.isAtLeast(26), at: call.now, in: transaction)
                return Self.view(inventory, generation: generation)
            })
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        try call.authorize("placement:resource_providers:inventories:delete")
        try await call.write { transaction in
            try service.deleteInventory(
                of: call.parameter("class"), on: call.parameter("uuid"), at: call.now, in: transaction)
        }
        return .empty(204)
    }

    @Sendable private func clear(_ call: APICall) async throws -> APIResponse {
        try call.need(5, status: 405)
        try call.authorize("placement:resource_providers:inventories:delete")
        try await call.write { transaction in
            let provider = try service.provider(call.parameter("uuid"), in: transaction)
            try service.setInventories(
                [:], of: provider, seen: provider.generation, mayReserveAll: true, at: call.now, in: transaction)
        }
        return .empty(204)
    }
}
