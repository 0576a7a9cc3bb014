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
        let version = VersionDocument(
            "v\(Self.minimum)", path: nil, microversions: Self.minimum...Self.maximum)
        return .json(VersionDocument.list([version], .init(maximumName: "max_version"), at: call.baseURL))
    }

    @Sendable static func renderError(_ error: APIError, _ requestID: String) -> (body: JSON, contentType: String) {
        let item: [String: JSON] = [
            "status": JSON(error.status), "title": JSON(error.title), "detail": JSON(error.message),
            "request_id": JSON(requestID)
        ]
        return (["errors": [.object(item)]], "application/json")
    }
}
