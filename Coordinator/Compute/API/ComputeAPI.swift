import CoordinatorPlatform
import ProtocolModel

/// The compute service's face.
struct ComputeAPI: Sendable {
    let parts: ComputeParts
    let reader: ServerReader

    var service: ServiceAPI {
        ServiceAPI(
            prefix: "/compute",
            microversions: MicroversionPolicy(
                service: "compute", legacyHeader: "X-OpenStack-Nova-API-Version", minimum: Microversion(2, 1),
                maximum: .computeMaximum),
            routes: routes, policy: ComputePolicy.policy, renderError: Self.render)
    }

    private var routes: [Route] {
        VersionRoutes.all + ServerRoutes(parts: parts, reader: reader).all
            + ServerActionRoutes(parts: parts).all + ServerMetadataRoutes(parts: parts).all
            + ServerTagRoutes(parts: parts).all + ServerViewRoutes(parts: parts).all
            + InstanceActionRoutes(parts: parts).all + FlavorRoutes(parts: parts).all
            + FlavorSpecRoutes(parts: parts).all + KeypairRoutes(parts: parts).all
            + HypervisorRoutes(parts: parts).all + HostServiceRoutes(parts: parts).all + ZoneRoutes(parts: parts).all
            + QuotaRoutes(parts: parts).all + UsageRoutes(parts: parts).all + EmptyRoutes.all
    }

    private static let names: [Int: String] = [
        400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 405: "badMethod",
        409: "conflictingRequest", 413: "overLimit", 415: "badMediaType", 429: "overLimit", 501: "notImplemented",
        503: "serviceUnavailable"
    ]

    /// `{"itemNotFound": {"code": 404, "message": "..."}}`; versions out of range are told in a form of their own.
    private static func render(_ error: APIError, requestID: String) -> (body: JSON, contentType: String) {
        if error.status == 406 { return (renderVersionRefusal(error, requestID: requestID), "application/json") }
        let name = names[error.status] ?? "computeFault"
        return (
            [name: ["code": JSON(error.status), "message": .string(error.message)]], "application/json; charset=UTF-8"
        )
    }

    private static func renderVersionRefusal(_ error: APIError, requestID: String) -> JSON {
        [
            "errors": [
                [
                    "request_id": .string(requestID), "code": "nova.microversion-unsupported", "status": 406,
                    "title": "Requested microversion is unsupported", "detail": .string(error.message),
                    "max_version": .string(Microversion.computeMaximum.description), "min_version": "2.1",
                    "links": [
                        [
                            "rel": "help",
                            "href": "https://docs.openstack.org/nova/latest/reference/api-microversion-history.html"
                        ]
                    ]
                ]
            ]
        ]
    }
}

extension APICall {
    /// Who asks, for calls that only a project can make.
    func origin() throws -> Origin {
        let project = try requireProject().project
        return Origin(permissions: try permissions(), project: project, requestID: requestID, now: now)
    }

    /// The same for calls on what exists: an administrator needs no project.
    func commandOrigin() throws -> Origin {
        let permissions = try permissions()
        return Origin(
            permissions: permissions, project: permissions.caller.project ?? ProjectID(high: 0, low: 0),
            requestID: requestID, now: now)
    }
}
