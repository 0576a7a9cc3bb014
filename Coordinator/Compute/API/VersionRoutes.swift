import CoordinatorPlatform

/// What versions there are, for clients that look before they ask.
enum VersionRoutes {
    static let all = [
        Route(.get, "/", access: .anybody, handler: list),
        Route(.get, "/v2.1", access: .anybody, handler: show)
    ]

    @Sendable private static func list(_ call: APICall) async throws -> APIResponse {
        .json(["versions": [version(call, links: [["rel": "self", "href": .string(Links(call.baseURL).version)]])]])
    }

    @Sendable private static func show(_ call: APICall) async throws -> APIResponse {
        let links: JSON = [
            ["rel": "self", "href": .string(Links(call.baseURL).version)],
            ["rel": "describedby", "type": "text/html", "href": "https://docs.openstack.org/api-ref/compute/"]
        ]
        guard case .object(var document) = version(call, links: links) else { return .empty(500) }
        document["media-types"] = [
            ["base": "application/json", "type": "application/vnd.openstack.compute+json;version=2.1"]
        ]
        return .json(["version": .object(document)])
    }

    private static func version(_ call: APICall, links: JSON) -> JSON {
        [
            "id": "v2.1", "status": "CURRENT", "version": .string(Microversion.computeMaximum.description),
            "min_version": "2.1", "updated": "2013-07-23T11:33:21Z", "links": links
        ]
    }
}
