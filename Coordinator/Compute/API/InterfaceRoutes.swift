import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel

/// `/servers/{id}/os-interface`.
struct InterfaceRoutes: Sendable {
    let parts: ComputeParts
    private var commands: InterfaceCommands { InterfaceCommands(parts: parts) }

    init(parts: ComputeParts) { self.parts = parts }

    var all: [Route] {
        let path = "/v2.1/servers/{server_id}/os-interface"
        return [
            Route(.get, path, handler: list).askingCompute("os-attach-interfaces:list"),
            Route(.get, path + "/{port_id}", handler: show).askingCompute("os-attach-interfaces:show"),
            Route(.post, path, action: "compute.interface.attach", handler: attach)
                .askingCompute("os-attach-interfaces:create").asking(NetworkSlice.serverPortRules),
            Route(.delete, path + "/{port_id}", action: "compute.interface.detach", handler: detach)
                .askingCompute("os-attach-interfaces:delete")
        ]
    }

    private func interfaces(_ call: APICall, asking rule: String) async throws -> [(port: ServerPort, tag: String?)] {
        let permissions = try call.permissions()
        let parts = parts
        return try await call.database.read { reader in
            let server = try ServerAccess(parts: parts).find(
                call.parameter("server_id"), asking: rule, by: permissions, in: reader)
            let tags = Dictionary(
                try parts.devices.all(of: [server.id], in: reader).map { ($0.device, $0.tag) },
                uniquingKeysWith: { first, _ in first })
            return (try parts.network.ports(of: [server.id], in: reader)[server.id] ?? []).map { port in
                (port, tags[port.port.cast()] ?? nil)
            }
        }
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        let list = try await interfaces(call, asking: "os-attach-interfaces:list")
        return .json([
            "interfaceAttachments": .array(list.map { Self.render($0.port, tag: $0.tag, call.microversion) })
        ])
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter("port_id")
        let list = try await interfaces(call, asking: "os-attach-interfaces:show")
        guard let found = list.first(where: { $0.port.port == PortID(id) }) else {
            throw APIError.notFound("Instance \(call.parameter("server_id")) does not have a port with id \(id)")
        }
        return .json(["interfaceAttachment": Self.render(found.port, tag: found.tag, call.microversion)])
    }

    private static func render(_ port: ServerPort, tag: String?, _ version: Microversion) -> JSON {
        var out: [String: JSON] = [
            "port_id": .string(port.port.text), "net_id": .string(port.network.text),
            "mac_addr": .string(port.mac.description), "port_state": .string(port.status),
            "fixed_ips": .array(
                port.fixedIPs.map {
                    ["subnet_id": .string($0.subnet.text), "ip_address": .string($0.address.description)]
                })
        ]
        if version.has(70) { out["tag"] = JSON(tag) }
        return .object(out)
    }

    // MARK: Attaching

    private struct Draft: Sendable {
        var network: String?
        var port: String?
        var addresses: [String] = []
        var tag: String?

        static let schema = BodySchema(
            blank: Draft(),
            [
                .optional("net_id", \.network, .text(0...Int.max, .uuid)),
                .optional("port_id", \.port, .text(0...Int.max, .uuid)),
                .given("fixed_ips", \.addresses, .list(of: address.format(), most: 1)),
                .optional("tag", \.tag, CreateServerForm.tag, since: 49)
            ])

        private static let address = BodySchema(
            blank: "", [.required("ip_address", \.self, .text(0...Int.max, .address))])

        static func read(_ body: JSON, _ version: Microversion) throws -> NetworkRequest.Interface {
            var draft = Draft()
            if body["interfaceAttachment"] != nil || body.objectValue?.isEmpty == false {
                draft = try schema.read(body, under: "interfaceAttachment", version, wording: Nova.body)
            }
            if draft.network != nil, draft.port != nil {
                throw APIError.badRequest("Must not input both network_id and port_id")
            }
            if !draft.addresses.isEmpty, draft.network == nil {
                throw APIError.badRequest("Must input network_id when request IP address")
            }
            return NetworkRequest.Interface(
                network: draft.network, port: draft.port, fixedIP: draft.addresses.first, tag: draft.tag)
        }
    }

    @Sendable private func attach(_ call: APICall) async throws -> APIResponse {
        let origin = try call.commandOrigin()
        let id = call.parameter("server_id")
        let wanted = try Draft.read(try await call.json(), call.microversion)
        let commands = commands
        let attached = try await NetworkRefusals.inNovasWords(of: ServerID(id) ?? ServerID(high: 0, low: 0)) {
            try await call.write(target: { $0.server.id.text }) {
                try commands.attach(wanted, to: id, origin: origin, in: $0)
            }
        }
        return .json(["interfaceAttachment": Self.render(attached.port, tag: wanted.tag, call.microversion)])
    }

    @Sendable private func detach(_ call: APICall) async throws -> APIResponse {
        let origin = try call.commandOrigin()
        let commands = commands
        _ = try await call.write {
            try commands.detach(call.parameter("port_id"), from: call.parameter("server_id"), origin: origin, in: $0)
        }
        return .empty(202)
    }
}
