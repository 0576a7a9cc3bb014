import CoordinatorPlatform

/// The placement API.
struct PlacementAPI: Sendable {
    let service: PlacementService

    static let minimum = Microversion(1, 0)
    /// The newest version of which everything is there; from 1.14 on providers nest.
    static let maximum = Microversion(1, 13)

    var api: ServiceAPI {
        ServiceAPI(
            prefix: "/placement",
            microversions: MicroversionPolicy(
                service: "placement", legacyHeader: nil, minimum: Self.minimum, maximum: Self.maximum),
            routes: [Route(.get, "/", access: .anybody, handler: versions)] + ProviderRoutes(service: service).routes
                + InventoryRoutes(service: service).routes + AllocationRoutes(service: service).routes
                + NameRoutes(service: service).routes,
            policy: PlacementPolicy.policy, renderError: Self.renderError)
    }

    @Sendable private func versions(_ call: APICall) async throws -> APIResponse {
        .json([
            "versions": [
                [
                    "id": JSON("v\(Self.minimum)"), "status": "CURRENT", "min_version": JSON(Self.minimum.description),
                    "max_version": JSON(Self.maximum.description), "links": [["rel": "self", "href": ""]]
                ]
            ]
        ])
    }

    @Sendable static func renderError(_ error: APIError, _ requestID: String) -> (body: JSON, contentType: String) {
        let item: [String: JSON] = [
            "status": JSON(error.status), "title": JSON(error.title), "detail": JSON(error.message),
            "request_id": JSON(requestID)
        ]
        return (["errors": [.object(item)]], "application/json")
    }
}
