import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel

/// Single views of a server: its addresses and interfaces.
struct ServerViewRoutes: Sendable {
    let parts: ComputeParts

    var all: [Route] {
        [
            Route(.get, "/v2.1/servers/{server_id}/ips", handler: addresses).askingCompute("ips:index"),
            Route(.get, "/v2.1/servers/{server_id}/ips/{network}", handler: networkAddresses)
                .askingCompute("ips:show"),
            Route(.get, "/v2.1/servers/{server_id}/os-interface", handler: interfaces)
                .askingCompute("os-attach-interfaces:list"),
            Route(.get, "/v2.1/servers/{server_id}/os-interface/{port_id}", handler: interface)
                .askingCompute("os-attach-interfaces:show"),
            Route(.get, "/v2.1/servers/{server_id}/os-volume_attachments", handler: volumes)
                .askingCompute("os-volumes-attachments:index")
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

    @Sendable private func interfaces(_ call: APICall) async throws -> APIResponse {
        let list = try await ports(call, asking: "os-attach-interfaces:list").map { render($0, call.microversion) }
        return .json(["interfaceAttachments": .array(list)])
    }

    @Sendable private func interface(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter("port_id")
        guard
            let port = try await ports(call, asking: "os-attach-interfaces:show").first(where: { $0.port == PortID(id) }
            )
        else {
            throw APIError.notFound("Instance \(call.parameter("server_id")) does not have a port with id \(id)")
        }
        return .json(["interfaceAttachment": render(port, call.microversion)])
    }

    private func render(_ port: ServerPort, _ version: Microversion) -> JSON {
        var out: [String: JSON] = [
            "port_id": .string(port.port.text), "net_id": .string(port.network.text),
            "mac_addr": .string(port.mac.description), "port_state": .string(port.status),
            "fixed_ips": .array(
                port.fixedIPs.map {
                    ["subnet_id": .string($0.subnet.text), "ip_address": .string($0.address.description)]
                })
        ]
        if version.has(70) { out["tag"] = .null }
        return .object(out)
    }

    /// There is no block storage, so no server has a volume.
    @Sendable private func volumes(_ call: APICall) async throws -> APIResponse {
        _ = try await ports(call, asking: "os-volumes-attachments:index")
        return .json(["volumeAttachments": []])
    }
}
