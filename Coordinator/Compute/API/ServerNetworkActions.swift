import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel

/// Actions on what servers have of the network.
enum ServerNetworkActions {
    /// What actions go by.
    struct Tools: Sendable {
        let parts: ComputeParts
        let proxies: ProxyCalls

        var addresses: FloatingIPProxy { FloatingIPProxy(parts: parts, proxies: proxies) }
    }

    typealias Action = @Sendable (_ tools: Tools, _ call: APICall, _ argument: JSON) async throws -> APIResponse

    static let rules = [
        "os-security-groups:add", "os-security-groups:remove", "os-multinic:add", "os-multinic:remove",
        "os-floating-ips:add", "os-floating-ips:remove"
    ]

    static let all: [String: Action] = [
        "addSecurityGroup": { try await setGroup("addSecurityGroup", isMember: true, $0.parts, $1, $2) },
        "removeSecurityGroup": { try await setGroup("removeSecurityGroup", isMember: false, $0.parts, $1, $2) },
        "addFixedIp": { tools, call, argument in
            try requireOld("addFixedIp", call)
            let parts = tools.parts
            let network = try Nova.read(argument, networkID, under: "addFixedIp")
            let origin = try call.commandOrigin()
            let id = call.parameter("server_id")
            _ = try await NetworkRefusals.inNovasWords(of: ServerID(id) ?? ServerID(high: 0, low: 0)) {
                try await call.write { transaction in
                    try InterfaceCommands(parts: parts).attach(
                        .init(network: network, port: nil, fixedIP: nil, tag: nil), to: id, rule: "os-multinic:add",
                        origin: origin, in: transaction)
                }
            }
            return .empty(202)
        },
        "removeFixedIp": { tools, call, argument in
            try requireOld("removeFixedIp", call)
            let parts = tools.parts
            let address = try Nova.read(argument, address, under: "removeFixedIp")
            let origin = try call.commandOrigin()
            _ = try await call.write { transaction in
                try InterfaceCommands(parts: parts).detach(
                    address: address, from: call.parameter("server_id"), rule: "os-multinic:remove", origin: origin,
                    in: transaction)
            }
            return .empty(202)
        },
        "addFloatingIp": { tools, call, argument in
            try requireOld("addFloatingIp", call)
            return try await tools.addresses.add(call, argument)
        },
        "removeFloatingIp": { tools, call, argument in
            try requireOld("removeFloatingIp", call)
            return try await tools.addresses.remove(call, argument)
        }
    ]

    private static func requireOld(_ action: String, _ call: APICall) throws {
        guard !call.microversion.has(ProxyVersion.lastAddressActions + 1) else {
            throw APIError.badRequest("There is no such action: \(action)")
        }
    }

    private static let name = BodySchema(blank: "", [.required("name", \.self, .text(1...255))]).format()
    private static let networkID = BodySchema(
        blank: "", [.required("networkId", \.self, BodyFormat<String>.text(1...64))]
    ).format()
    private static let address = BodySchema(
        blank: "", [.required("address", \.self, .text(0...Int.max, .address))]
    ).format()

    private static func setGroup(
        _ action: String, isMember: Bool, _ parts: ComputeParts, _ call: APICall, _ argument: JSON
    ) async throws -> APIResponse {
        let name = try Nova.read(argument, name, under: action)
        let origin = try call.commandOrigin()
        let id = call.parameter("server_id")
        do {
            try await call.write { transaction in
                let server = try ServerAccess(parts: parts).findToChange(
                    id, rule: "os-security-groups:\(isMember ? "add" : "remove")", by: origin.permissions,
                    in: transaction)
                try parts.network.setGroup(
                    name, isMember: isMember, of: server.id, project: server.project, at: origin.now, in: transaction)
            }
        } catch let refusal as Refusal { throw error(refusal, server: id) ?? refusal }
        return .empty(202)
    }

    private static func error(_ refusal: Refusal, server: String) -> (any Error)? {
        switch (refusal.kind, refusal.code) {
        case ("security_group", .notFound): APIError.notFound("Security group \(refusal.name) not found.")
        case ("security_group", .conflict):
            APIError.notFound("Security group \(refusal.name) not associated with the instance \(server)")
        case ("security_group", .invalid):
            APIError.badRequest(
                "Network requires port_security_enabled and subnet associated in order to apply security groups.")
        default: NetworkRefusals.error(refusal)
        }
    }
}
