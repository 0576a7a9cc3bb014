import CoordinatorPlatform
import ProtocolModel

/// The identity API, version 3, as a service to mount.
public enum IdentityAPI {
    public static let prefix = "/identity"

    public static func make(_ identity: IdentityService) -> ServiceAPI {
        let routes: [[Route]] = [
            DiscoveryRoutes.all, TokenRoutes(identity: identity).all, identity.resourceRoutes,
            UserRoutes(identity: identity).all, TagRoutes(identity: identity).all, GrantRoutes(identity: identity).all,
            RoleRoutes(identity: identity).all, AssignmentRoutes(identity: identity).all
        ]
        return ServiceAPI(
            prefix: prefix, routes: routes.flatMap { $0 }, policy: IdentityPolicy.policy, renderError: renderError)
    }

    static func renderError(_ error: APIError, _ requestID: String) -> (body: JSON, contentType: String) {
        let details: JSON = ["code": JSON(error.status), "message": JSON(error.message), "title": JSON(error.title)]
        return (["error": details], "application/json")
    }

    static func notFound(_ kind: String, _ key: String) -> APIError { .notFound("Could not find \(kind): \(key).") }
}

/// `GET /identity` and `GET /identity/v3`.
enum DiscoveryRoutes {
    static let all = [
        Route(.get, "/", access: .anybody) { call in
            let values: JSON = ["values": .array([version(call)])]
            return .json(["versions": values], status: 300, headers: [("Vary", "X-Auth-Token")])
        },
        Route(.get, "/v3", access: .anybody) { call in
            .json(["version": version(call)], headers: [("Vary", "X-Auth-Token")])
        }
    ]

    private static func version(_ call: APICall) -> JSON {
        let link: JSON = ["rel": "self", "href": JSON("\(call.baseURL)\(IdentityAPI.prefix)/v3/")]
        let media: JSON = [
            "base": "application/json", "type": "application/vnd.openstack.identity-v3+json"
        ]
        return [
            "id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z", "links": .array([link]),
            "media-types": .array([media])
        ]
    }
}
