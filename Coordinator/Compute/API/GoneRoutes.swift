import CoordinatorPlatform
import HTTPTypes

/// Calls that Nova has no more, whatever the version: 410, as there.
enum GoneRoutes {
    static let all: [Route] = paths.flatMap { path, methods in
        methods.map { method in
            Route(method, "/v2.1/" + path, action: method == .get ? "" : "compute.gone", handler: gone)
                .open(because: "There is nothing to decide: what it was about is gone.")
        }
    }

    private static let collection: [HTTPRequest.Method] = [.get, .post]
    private static let member: [HTTPRequest.Method] = [.get, .put, .delete]

    private static let paths: [(String, [HTTPRequest.Method])] = [
        ("os-agents", collection), ("os-agents/{id}", [.put, .delete]), ("os-certificates", [.post]),
        ("os-certificates/{id}", [.get]), ("os-cells", collection), ("os-cells/detail", [.get]),
        ("os-cells/info", [.get]), ("os-cells/capacities", [.get]), ("os-cells/{id}", member),
        ("os-cells/{id}/capacities", [.get]), ("os-cells/sync_instances", [.post]), ("os-cloudpipe", collection),
        ("os-cloudpipe/configure-project", [.put]), ("os-fping", [.get]), ("os-fping/{id}", [.get]),
        ("os-fixed-ips/{id}", [.get]), ("os-fixed-ips/{id}/action", [.post]), ("os-floating-ip-dns", [.get]),
        ("os-floating-ip-dns/{id}", [.put, .delete]), ("os-floating-ip-dns/{id}/entries/{entry}", member),
        ("os-floating-ips-bulk", collection), ("os-floating-ips-bulk/{id}", [.get, .put]),
        ("os-security-group-default-rules", collection), ("os-security-group-default-rules/{id}", [.get, .delete]),
        ("os-networks", [.post]), ("os-networks/add", [.post]), ("os-networks/{id}", [.delete]),
        ("os-networks/{id}/action", [.post]), ("os-tenant-networks", [.post]), ("os-tenant-networks/{id}", [.delete]),
        ("servers/{server_id}/consoles", collection), ("servers/{server_id}/consoles/{id}", [.get, .delete]),
        ("servers/{server_id}/os-virtual-interfaces", [.get])
    ]

    @Sendable private static func gone(_ call: APICall) async throws -> APIResponse {
        throw APIError(
            status: 410, message: "This resource is no longer available.  No forwarding address is given.")
    }
}
