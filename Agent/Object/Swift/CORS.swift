import NIOHTTP1

/// Which web pages may use a container, as its `Access-Control-*` metadata says.
extension SwiftCall {
    private static let metadata = "x-container-meta-access-control-"
    private static let exposed =
        "cache-control, content-language, content-type, expires, last-modified, pragma, etag, x-timestamp, "
        + "x-trans-id, x-openstack-request-id"

    private func allowedOrigin(_ origin: String) async throws -> (origin: String, metadata: Metadata)? {
        guard let name = target.containerName, let metadata = try await container(name)?.metadata else { return nil }
        let allowed = (metadata[Self.metadata + "allow-origin"] ?? "").split(separator: " ")
        if allowed.contains("*") { return ("*", metadata) }
        return allowed.contains { $0 == origin } ? (origin, metadata) : nil
    }

    func withCORS(_ response: ObjectResponse) async throws -> ObjectResponse {
        guard let origin = request.header("origin"), let (allowed, metadata) = try await allowedOrigin(origin) else {
            return response
        }
        var response = response
        var exposed = Self.exposed
        for (name, _) in response.headers where name.lowercased().contains("-meta-") {
            exposed += ", \(name.lowercased())"
        }
        if let more = metadata[Self.metadata + "expose-headers"] { exposed += ", " + more }
        response.headers.replaceOrAdd(name: "Access-Control-Allow-Origin", value: allowed)
        response.headers.replaceOrAdd(name: "Access-Control-Expose-Headers", value: exposed)
        if allowed != "*" { response.headers.add(name: "Vary", value: "Origin") }
        return response
    }

    /// OPTIONS, which browsers ask without a token.
    func preflight() async throws -> ObjectResponse {
        let methods =
            target.object == nil
            ? "HEAD, GET, PUT, POST, OPTIONS, DELETE" : "HEAD, GET, PUT, POST, COPY, OPTIONS, DELETE"
        guard let origin = request.header("origin") else { return ObjectResponse(200, headers: ["Allow": methods]) }
        guard let method = request.header("access-control-request-method"),
            methods.split(separator: ", ").contains(where: { $0 == method }),
            let (allowed, metadata) = try await allowedOrigin(origin)
        else { throw SwiftRefusal(401) }
        var headers: HTTPHeaders = [
            "Access-Control-Allow-Origin": allowed, "Access-Control-Allow-Methods": methods, "Allow": methods
        ]
        if let age = metadata[Self.metadata + "max-age"] { headers.add(name: "Access-Control-Max-Age", value: age) }
        if let asked = request.header("access-control-request-headers") {
            headers.add(name: "Access-Control-Allow-Headers", value: asked)
            headers.add(name: "Vary", value: "Access-Control-Request-Headers")
        }
        if allowed != "*" { headers.add(name: "Vary", value: "Origin") }
        return ObjectResponse(200, headers: headers)
    }
}
