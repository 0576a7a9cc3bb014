import CoordinatorPlatform
import HTTPTypes

/// `GET /identity` and `GET /identity/v3`: the version, or the JSON-home document for who asks for it.
enum DiscoveryRoutes {
    static let all = [
        Route(.get, "/", access: .anybody) { call in
            if JSONHome.isWanted(call.headers[.accept]) { return home(prefix: "/v3") }
            let values: JSON = ["values": .array([version(call)])]
            return .json(
                ["versions": values], status: 300, headers: [("Vary", "X-Auth-Token"), ("Location", link(call))])
        },
        Route(.get, "/v3", access: .anybody) { call in
            if JSONHome.isWanted(call.headers[.accept]) { return home(prefix: "") }
            return .json(["version": version(call)], headers: [("Vary", "X-Auth-Token")])
        }
    ]

    private static func home(prefix: String) -> APIResponse {
        .json(
            JSONHome.document(prefix: prefix),
            headers: [("Content-Type", JSONHome.contentType), ("Vary", "X-Auth-Token")])
    }

    private static func link(_ call: APICall) -> String { "\(call.baseURL)\(IdentityAPI.prefix)/v3/" }

    private static func version(_ call: APICall) -> JSON {
        let link: JSON = ["rel": "self", "href": .string(link(call))]
        let media: JSON = [
            "base": "application/json", "type": "application/vnd.openstack.identity-v3+json"
        ]
        return [
            "id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z", "links": .array([link]),
            "media-types": .array([media])
        ]
    }
}
