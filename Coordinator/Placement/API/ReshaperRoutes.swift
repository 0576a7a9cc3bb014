import CoordinatorPlatform
import ProtocolModel

/// `/reshaper`: inventories move between providers, with what is claimed of them.
struct ReshaperRoutes: Sendable {
    let service: PlacementService

    var routes: [Route] {
        [
            Route(.post, "/reshaper", action: "placement.reshape", handler: reshape)
                .asking("placement:reshaper:reshape")
        ]
    }

    @Sendable private func reshape(_ call: APICall) async throws -> APIResponse {
        try call.need(30)
        try call.authorize("placement:reshaper:reshape")
        let members = try PlacementBody.object(try await call.json(), "body")
        try PlacementBody.only(["inventories", "allocations"], members)
        let inventories = try PlacementBody.object(members["inventories"], "inventories")
        guard !inventories.isEmpty else { throw PlacementBody.invalid("'inventories' has too few properties") }
        let reshaped = try inventories.sorted { $0.key < $1.key }.map { key, value in
            let item = try PlacementBody.object(value, key)
            try PlacementBody.only(["resource_provider_generation", "inventories"], item)
            return PlacementService.Reshaped(
                provider: try PlacementBody.uuid(JSON(key), "resource provider"),
                seen: try PlacementBody.generation(item),
                inventories: try PlacementBody.inventories(item["inventories"]))
        }
        let claims = try AllocationBody(call: call).many(members["allocations"], mayBeNone: true)
        try await call.write(target: { _ in reshaped.map(\.provider).joined(separator: ",") }) { transaction in
            try service.reshape(reshaped, claims: claims, at: call.now, in: transaction)
        }
        return .empty(204)
    }
}
