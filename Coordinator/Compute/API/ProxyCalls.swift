import CoordinatorPlatform
import HTTPTypes
import NIOCore

/// Other services' calls, made for whoever makes one here: what the compute API once had of them, it hands on.
struct ProxyCalls: Sendable {
    private let services: [(service: ServiceAPI, tree: RouteTree)]

    init(_ services: [ServiceAPI]) { self.services = services.map { ($0, RouteTree($0.routes)) } }

    /// Makes a call with the caller's own rights; its rules are asked as if the caller had made it.
    /// - Parameter target: Path and query: `/network/v2.0/ports?device_id=ID`.
    /// - Throws: ``APIError`` in the other service's words.
    func send(
        _ method: HTTPRequest.Method, _ target: String, _ body: JSON? = nil, for call: APICall
    ) async throws -> JSON {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = String(parts[0])
        guard let (service, tree) = services.first(where: { path.hasPrefix($0.service.prefix + "/") }),
            case .route(let route, let parameters) = tree.find(method, path.dropFirst(service.prefix.count))
        else { throw APIError.notFound("The resource could not be found.") }
        var inner = call
        inner.method = method
        inner.path = path
        inner.parameters = parameters
        inner.query = parts.count > 1 ? PercentCoding.query(parts[1]) : []
        inner.microversion = Microversion(0, 0)
        inner.headers[.contentType] =
            method == .patch ? "application/openstack-images-v2.1-json-patch" : "application/json"
        inner.action = route.action
        inner.words = service.words
        inner.body = HandedBody(json: body ?? .null)
        if let gate = route.gate { try inner.authorize(gate) }
        guard case .json(let json) = try await route.handler(inner).body else { return .null }
        return json
    }

    /// A body that is here already.
    private struct HandedBody: RequestBodySource {
        let json: JSON

        func json() async throws -> JSON { json }
        func bytes() async throws -> [UInt8] { json.isNull ? [] : json.serialize() }
        func forEachChunk(_ body: (ByteBuffer) async throws -> Void) async throws {
            try await body(ByteBuffer(bytes: try await bytes()))
        }
    }
}

/// The last version that has a call of another service's.
enum ProxyVersion {
    /// Networks, addresses, security groups, images.
    static let last = 35
    static let lastImageMetadata = 38
    /// `addFloatingIp` and its like.
    static let lastAddressActions = 43
}
