import CoordinatorPlatform

/// The placement API.
struct PlacementAPI: Sendable {
    let service: PlacementService

    static let minimum = Microversion(1, 0)
    /// The newest version of which everything is there.
    static let maximum = Microversion(1, 39)

    var api: ServiceAPI {
        ServiceAPI(
            prefix: "/placement",
            microversions: MicroversionPolicy(
                service: "placement", legacyHeader: nil, minimum: Self.minimum, maximum: Self.maximum),
            routes: routes.map { $0.withErrorCodes() },
            policy: PlacementPolicy.policy, renderError: Self.renderError)
    }

    private var routes: [Route] {
        [Route(.get, "/", access: .anybody, handler: versions)] + ProviderRoutes(service: service).routes
            + MembershipRoutes(service: service).routes + InventoryRoutes(service: service).routes
            + AllocationRoutes(service: service).routes + ReshaperRoutes(service: service).routes
            + CandidateRoutes(service: service).routes + NameRoutes(service: service).routes
    }

    @Sendable private func versions(_ call: APICall) async throws -> APIResponse {
        let version = VersionDocument(
            "v\(Self.minimum)", path: nil, microversions: Self.minimum...Self.maximum)
        return call.answer(VersionDocument.list([version], .init(maximumName: "max_version"), at: call.baseURL))
    }

    @Sendable static func renderError(_ error: APIError, _ requestID: String) -> (body: JSON, contentType: String) {
        var item: [String: JSON] = [
            "status": JSON(error.status), "title": JSON(error.title), "detail": JSON(error.message),
            "request_id": JSON(requestID)
        ]
        if !error.type.isEmpty { item["code"] = JSON(error.type) }
        return (["errors": [.object(item)]], "application/json")
    }
}
