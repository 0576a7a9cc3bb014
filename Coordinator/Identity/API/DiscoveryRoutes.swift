import CoordinatorPlatform
import HTTPTypes

/// `GET /identity` and `GET /identity/v3`: the version, or the JSON-home document for who asks for it.
enum DiscoveryRoutes {
    static let all = [
        Route(.get, "/", access: .anybody) { call in
            if JSONHome.isWanted(call.headers[.accept]) { return home(prefix: "/v3") }
            return .json(
                VersionDocument.list([version], .init(isNested: true), at: call.baseURL), status: 300,
                headers: [("Vary", "X-Auth-Token"), ("Location", call.baseURL + path)])
        },
        Route(.get, "/v3", access: .anybody) { call in
            if JSONHome.isWanted(call.headers[.accept]) { return home(prefix: "") }
            return .json(version.alone(at: call.baseURL), headers: [("Vary", "X-Auth-Token")])
        }
    ]

    private static func home(prefix: String) -> APIResponse {
        .json(
            JSONHome.document(prefix: prefix),
            headers: [("Content-Type", JSONHome.contentType), ("Vary", "X-Auth-Token")])
    }

    private static let path = "\(IdentityAPI.prefix)/v3/"
    private static let version = VersionDocument(
        "v3.14", status: "stable", path: path, updated: "2020-04-07T00:00:00Z",
        mediaType: "application/vnd.openstack.identity-v3+json")
}
