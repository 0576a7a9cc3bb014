import CoordinatorPlatform
import ProtocolModel

/// The compute service's face.
struct ComputeAPI: Sendable {
    let parts: ComputeParts
    let reader: ServerReader
    let proxies: ProxyCalls

    var service: ServiceAPI {
        var service = ServiceAPI(
            prefix: "/compute",
            microversions: MicroversionPolicy(
                service: "compute", legacyHeader: "X-OpenStack-Nova-API-Version", minimum: Microversion(2, 1),
                maximum: .computeMaximum),
            routes: routes, policy: ComputePolicy.policy, renderError: Self.render)
        service.refusesEmptyNames = true
        service.earlier = .init(version: "/v2", current: "/v2.1")
        return service
    }

    private var routes: [Route] {
        VersionRoutes.all + ServerRoutes(parts: parts, reader: reader).all
            + ServerActionRoutes(parts: parts, reader: reader, proxies: proxies).all
            + ServerMetadataRoutes(parts: parts).all + ConsoleRoutes(parts: parts).all
            + ServerTagRoutes(parts: parts).all + ServerViewRoutes(parts: parts).all
            + InterfaceRoutes(parts: parts).all + ServerGroupRoutes(parts: parts).all
            + AggregateRoutes(parts: parts).all
            + SecurityGroupProxy(parts: parts, proxies: proxies).all
            + ImageProxy(parts: parts, proxies: proxies).all + FloatingIPProxy(parts: parts, proxies: proxies).all
            + ServerDetailRoutes(parts: parts).all + ExternalEventRoutes(parts: parts).all
            + HostRoutes(parts: parts).all + GoneRoutes.all
            + VolumeAttachmentRoutes(parts: parts).all + MigrationRoutes(parts: parts).all
            + InstanceActionRoutes(parts: parts).all
            + FlavorRoutes(parts: parts).all
            + FlavorSpecRoutes(parts: parts).all + KeypairRoutes(parts: parts).all
            + HypervisorRoutes(parts: parts).all + HostServiceRoutes(parts: parts).all + ZoneRoutes(parts: parts).all
            + DiagnosticsRoutes(parts: parts).all + QuotaClassRoutes(parts: parts).all
            + AuditLogRoutes(parts: parts).all
            + VolumeProxy(parts: parts, proxies: proxies).all
            + QuotaRoutes(parts: parts).all + UsageRoutes(parts: parts).all + EmptyRoutes.all
    }

    private static let names: [Int: String] = [
        400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 405: "badMethod",
        409: "conflictingRequest", 413: "overLimit", 415: "badMediaType", 429: "overLimit", 501: "notImplemented",
        503: "serviceUnavailable"
    ]

    /// `{"itemNotFound": {"code": 404, "message": "..."}}`, whatever the refusal: Nova's client reads the first member of
    /// any body as such an object, also that of a version out of range.
    private static func render(_ error: APIError, requestID: String) -> (body: JSON, contentType: String) {
        let name = names[error.status] ?? "computeFault"
        return (
            [name: ["code": JSON(error.status), "message": .string(error.message)]], "application/json; charset=UTF-8"
        )
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
