import CoordinatorPlatform
import ProtocolModel

/// The block storage service's face.
struct BlockStorageAPI: Sendable {
    let parts: BlockStorageParts

    var service: ServiceAPI {
        ServiceAPI(
            prefix: "/volume", serviceType: "block-storage",
            microversions: MicroversionPolicy(
                service: "volume", legacyHeader: nil, minimum: Microversion(3, 0), maximum: .volumeMaximum),
            routes: routes, policy: BlockStoragePolicy.policy, renderError: Self.render)
    }

    private var routes: [Route] { VersionRoutes.all + project + project.compactMap(\.withoutProject) }

    /// Below a project.
    private var project: [Route] {
        VolumeRoutes(parts: parts).all + VolumeActionRoutes(parts: parts).all
            + VolumeMetadataRoutes(parts: parts).all + SnapshotRoutes(parts: parts).all
            + SnapshotMetadataRoutes(parts: parts).all + AttachmentRoutes(parts: parts).all
            + TypeRoutes(parts: parts).all + TypeSpecRoutes(parts: parts).all + QuotaRoutes(parts: parts).all
            + BackendRoutes(parts: parts).all + TransferRoutes(parts: parts).all
            + QoSRoutes(parts: parts).all + TypeExtraRoutes(parts: parts).all + MessageRoutes(parts: parts).all
            + HostRoutes(parts: parts).all + AbsentRoutes().all
    }

    private static let names: [Int: String] = [
        400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 405: "badMethod",
        409: "conflictingRequest", 413: "overLimit", 415: "badMediaType", 429: "overLimit", 501: "notImplemented",
        503: "serviceUnavailable"
    ]

    /// `{"itemNotFound": {"code": 404, "message": "..."}}`
    private static func render(_ error: APIError, requestID: String) -> (body: JSON, contentType: String) {
        let name = names[error.status] ?? "computeFault"
        return ([name: ["code": JSON(error.status), "message": .string(error.message)]], "application/json")
    }
}
