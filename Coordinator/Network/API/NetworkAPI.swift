import CoordinatorPlatform

/// The networking API, version 2.0.
struct NetworkAPI: Sendable {
    let service: NetworkService

    var api: ServiceAPI {
        ServiceAPI(
            prefix: "/network",
            routes: DiscoveryRoutes().routes + NetworkRoutes(service: service).routes
                + SubnetRoutes(service: service).routes + SubnetPoolRoutes(service: service).routes
                + AddressScopeRoutes(service: service).routes + AddressGroupRoutes(service: service).routes
                + RBACRoutes(service: service).routes + QoSRoutes(service: service).routes
                + PortRoutes(service: service).routes
                + RouterRoutes(service: service).routes + FloatingIPRoutes(service: service).routes
                + PortForwardingRoutes(service: service).routes + SecurityGroupRoutes(service: service).routes
                + SecurityGroupRuleRoutes(service: service).routes
                + QuotaRoutes(service: service).routes + AgentRoutes(service: service).routes
                + AvailabilityRoutes(service: service).routes + NetworkTagRoutes(service: service).routes,
            policy: NetworkPolicy.policy, renderError: Self.renderError)
    }

    @Sendable static func renderError(_ error: APIError, _ requestID: String) -> (body: JSON, contentType: String) {
        let type = error.type.isEmpty ? defaultType(error.status) : error.type
        return (
            ["NeutronError": ["type": JSON(type), "message": JSON(error.message), "detail": ""]], "application/json"
        )
    }

    /// webob's names, as Neutron shows errors that have none of their own.
    private static func defaultType(_ status: Int) -> String {
        switch status {
        case 400: "HTTPBadRequest"
        case 401: "HTTPUnauthorized"
        case 403: "HTTPForbidden"
        case 404: "HTTPNotFound"
        case 405: "HTTPMethodNotAllowed"
        case 406: "HTTPNotAcceptable"
        case 409: "HTTPConflict"
        case 412: "HTTPPreconditionFailed"
        case 413: "HTTPRequestEntityTooLarge"
        case 414: "HTTPRequestURITooLong"
        case 415: "HTTPUnsupportedMediaType"
        case 429: "HTTPTooManyRequests"
        case 431: "HTTPRequestHeaderFieldsTooLarge"
        case 503: "HTTPServiceUnavailable"
        default: "HTTPInternalServerError"
        }
    }
}
