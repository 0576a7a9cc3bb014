import CoordinatorPlatform
import ProtocolModel

/// The identity API, version 3, as a service to mount.
public enum IdentityAPI {
    public static let prefix = "/identity"

    public static func make(_ identity: IdentityService) -> ServiceAPI {
        let routes: [[Route]] =
            [
                DiscoveryRoutes.all, TokenRoutes(identity: identity).all, identity.resourceRoutes,
                UserRoutes(identity: identity).all, TagRoutes(identity: identity).all,
                GrantRoutes(identity: identity).all,
                RoleRoutes(identity: identity).all, AssignmentRoutes(identity: identity).all,
                EndpointFilterRoutes(identity: identity).all, EndpointPolicyRoutes(identity: identity).all,
                LimitRoutes(identity: identity).all, DomainConfigurationRoutes(identity: identity).all
            ]
            + delegationRoutes(identity)
        return ServiceAPI(
            prefix: prefix, routes: routes.flatMap { $0 }, policy: IdentityPolicy.policy, renderError: renderError)
    }

    private static func delegationRoutes(_ identity: IdentityService) -> [[Route]] {
        [
            RevocationRoutes(identity: identity).all, ApplicationCredentialRoutes(identity: identity).all,
            AccessRuleRoutes(identity: identity).all, TrustRoutes(identity: identity).all,
            CredentialRoutes(identity: identity).all, EC2CredentialRoutes(identity: identity).all,
            EC2TokenRoutes(identity: identity).all
        ]
    }

    static func renderError(_ error: APIError, _ requestID: String) -> (body: JSON, contentType: String) {
        let details: JSON = ["code": JSON(error.status), "message": JSON(error.message), "title": JSON(error.title)]
        return (["error": details], "application/json")
    }

    static func notFound(_ kind: String, _ key: String) -> APIError { .notFound("Could not find \(kind): \(key).") }
}
