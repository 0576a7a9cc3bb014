import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel

/// Single views of a server: its addresses.
struct ServerViewRoutes: Sendable {
    let parts: ComputeParts

    var all: [Route] {
        [
            Route(.get, "/v2.1/servers/{server_id}/ips", handler: addresses).askingCompute("ips:index"),
            Route(.get, "/v2.1/servers/{server_id}/ips/{network}", handler: networkAddresses)
                .askingCompute("ips:show")
        ]
    }

    private func ports(_ call: APICall, asking rule: String) async throws -> [ServerPort] {
        let permissions = try call.permissions()
        let access = ServerAccess(parts: parts)
        let network = parts.network
        return try await call.database.read { reader in
            let server = try access.find(
                call.parameter("server_id"), asking: rule, by: permissions, in: reader)
            return try network.ports(of: [server.id], in: reader)[server.id] ?? []
        }
    }

    @Sendable private func addresses(_ call: APICall) async throws -> APIResponse {
        .json(["addresses": ServerView(call).addresses(try await ports(call, asking: "ips:index"), isExtended: false)])
    }

    @Sendable private func networkAddresses(_ call: APICall) async throws -> APIResponse {
        let name = call.parameter("network")
        let networks = ServerView(call).addresses(try await ports(call, asking: "ips:show"), isExtended: false)
        guard let addresses = networks[name] else {
            throw APIError.notFound("Instance is not a member of specified network")
        }
        return .json([name: addresses])
    }
}
