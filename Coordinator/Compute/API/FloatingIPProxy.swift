import CoordinatorPlatform
import ProtocolModel

/// `/os-floating-ips`, `/os-floating-ip-pools`, `/os-tenant-networks` and `/os-networks`, to 2.35; the actions that give
/// servers floating addresses, to 2.43.
struct FloatingIPProxy: Sendable {
    let parts: ComputeParts
    let proxies: ProxyCalls

    var all: [Route] {
        let path = "/v2.1/os-floating-ips"
        let reading = ["get_floatingip", "get_network", "get_port"]
        return [
            Route(.get, path, handler: list).gatedCompute(by: "os-floating-ips:list").asking(reading),
            Route(.post, path, action: "compute.floating_ip.create", handler: create)
                .gatedCompute(by: "os-floating-ips:create").asking(reading + ["create_floatingip"]),
            Route(.get, path + "/{id}", handler: show).gatedCompute(by: "os-floating-ips:show").asking(reading),
            Route(.delete, path + "/{id}", action: "compute.floating_ip.delete", handler: delete)
                .gatedCompute(by: "os-floating-ips:delete").asking(reading + ["delete_floatingip"]),
            Route(.get, "/v2.1/os-floating-ip-pools", handler: pools).gatedCompute(by: "os-floating-ip-pools")
                .asking("get_network"),
            Route(.get, "/v2.1/os-tenant-networks") { try await networks($0, isAdministrative: false) }
                .gatedCompute(by: "os-tenant-networks:list").asking("get_network"),
            Route(.get, "/v2.1/os-tenant-networks/{id}") { try await network($0, isAdministrative: false) }
                .gatedCompute(by: "os-tenant-networks:show").asking("get_network"),
            Route(.get, "/v2.1/os-networks") { try await networks($0, isAdministrative: true) }
                .gatedCompute(by: "os-networks:list").asking("get_network"),
            Route(.get, "/v2.1/os-networks/{id}") { try await network($0, isAdministrative: true) }
                .gatedCompute(by: "os-networks:show").asking("get_network")
        ]
    }

    private static let path = "/network/v2.0/floatingips"

    private func items(_ name: String, _ query: String, _ call: APICall) async throws -> [JSON] {
        let found = try await proxies.send(.get, "/network/v2.0/\(name)\(query)", for: call)
        return found[name]?.arrayValue ?? []
    }

    private func own(_ call: APICall) throws -> String { "project_id=\(try call.requireProject().project.compact)" }

    private static func requireOld(_ call: APICall) throws {
        try call.requireVersion(!call.microversion.has(ProxyVersion.last + 1))
    }

    // MARK: Addresses

    private func external(_ call: APICall) async throws -> [JSON] {
        try await items("networks", "?router:external=true", call)
    }

    private func render(_ addresses: [JSON], _ call: APICall) async throws -> [JSON] {
        guard !addresses.isEmpty else { return [] }
        func byID(_ items: [JSON]) -> [String: JSON] {
            Dictionary(items.map { ($0["id"]?.stringValue ?? "", $0) }, uniquingKeysWith: { first, _ in first })
        }
        let pools = byID(try await external(call))
        let bound = addresses.compactMap { $0["port_id"]?.stringValue }
        let ports =
            try await bound.isEmpty
            ? [:] : byID(items("ports", "?" + bound.map { "id=\($0)" }.joined(separator: "&"), call))
        return addresses.map { address in
            let device = address["port_id"]?.stringValue.flatMap { ports[$0]?["device_id"]?.stringValue }
            let network = address["floating_network_id"]?.stringValue ?? ""
            return [
                "id": address["id"] ?? .null, "ip": address["floating_ip_address"] ?? .null,
                "fixed_ip": address["fixed_ip_address"] ?? .null,
                "instance_id": JSON(device.flatMap { $0.isEmpty ? nil : $0 }),
                "pool": pools[network]?["name"] ?? .string(network)
            ]
        }
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        try Self.requireOld(call)
        let found = try await items("floatingips", "?" + (try own(call)), call)
        return .json(["floating_ips": .array(try await render(found, call))])
    }

    private func find(_ call: APICall) async throws -> JSON {
        try Self.requireOld(call)
        let id = call.parameter("id")
        guard AnyID(id) != nil else { throw APIError.badRequest("Invalid ID \(id) for floating IP.") }
        do {
            return try await proxies.send(.get, "\(Self.path)/\(id)", for: call)["floatingip"] ?? .null
        } catch let error as APIError where error.status == 404 {
            throw APIError.notFound("Floating IP not found for ID \(id)")
        }
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        .json(["floating_ip": try await render([try await find(call)], call).first ?? .null])
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        try Self.requireOld(call)
        let body = try await call.body.bytes().isEmpty ? [:] : call.json()
        let pool = body["pool"]?.stringValue
        let network = try await external(call).first { network in
            pool == nil || network["name"]?.stringValue == pool || network["id"]?.stringValue == pool
        }
        guard let network = network?["id"] else {
            throw APIError.notFound(
                pool.map { "Floating IP pool not found: \($0)" } ?? "Floating IP pool not found.")
        }
        do {
            let made = try await proxies.send(
                .post, Self.path, ["floatingip": ["floating_network_id": network]], for: call)
            return .json(["floating_ip": try await render([made["floatingip"] ?? .null], call).first ?? .null])
        } catch let error as APIError where error.status == 409 {
            throw error.type == "OverQuota"
                ? APIError.forbidden("Maximum number of floating IPs exceeded")
                : APIError.notFound("No more floating IPs in pool \(pool ?? "").")
        }
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        _ = try await find(call)
        _ = try await proxies.send(.delete, "\(Self.path)/\(call.parameter("id"))", for: call)
        return .empty(202)
    }

    @Sendable private func pools(_ call: APICall) async throws -> APIResponse {
        try Self.requireOld(call)
        let found = try await external(call)
        return .json(["floating_ip_pools": .array(found.map { ["name": $0["name"] ?? ""] })])
    }

    // MARK: Networks

    /// Members that a network of old had, and that none has a word for.
    private static let blanks = [
        "cidr", "netmask", "gateway", "broadcast", "dns1", "dns2", "cidr_v6", "gateway_v6", "netmask_v6"
    ]
    private static let administrativeBlanks = [
        "created_at", "updated_at", "deleted_at", "deleted", "injected", "bridge", "vlan", "vpn_public_address",
        "vpn_public_port", "vpn_private_address", "dhcp_start", "project_id", "host", "bridge_interface", "multi_host",
        "priority", "rxtx_base", "mtu", "dhcp_server", "enable_dhcp", "share_address"
    ]

    private func render(_ network: JSON, isAdministrative: Bool, _ call: APICall) -> JSON {
        var out: [String: JSON] = ["id": network["id"] ?? .null, "label": network["name"] ?? ""]
        guard isAdministrative else {
            // Nova's own word for what a network has several of.
            out["cidr"] = "None"
            return .object(out)
        }
        for name in Self.blanks { out[name] = .null }
        if call.caller?.isAdmin ?? false {
            for name in Self.administrativeBlanks { out[name] = .null }
        }
        return .object(out)
    }

    private func networks(_ call: APICall, isAdministrative: Bool) async throws -> APIResponse {
        try Self.requireOld(call)
        let found = try await items("networks", "", call)
        return .json([
            "networks": .array(found.map { render($0, isAdministrative: isAdministrative, call) })
        ])
    }

    private func network(_ call: APICall, isAdministrative: Bool) async throws -> APIResponse {
        try Self.requireOld(call)
        let id = call.parameter("id")
        do {
            guard AnyID(id) != nil else { throw APIError.notFound("") }
            let found = try await proxies.send(.get, "/network/v2.0/networks/\(id)", for: call)["network"]
            return .json(["network": render(found ?? .null, isAdministrative: isAdministrative, call)])
        } catch let error as APIError where error.status == 404 { throw APIError.notFound("Network not found") }
    }

    // MARK: Actions

    /// Rules of the network's that the actions ask.
    static let actionRules = ["get_floatingip", "update_floatingip", "get_port"]

    private struct Wanted: Sendable {
        var address = ""
        var fixed: String?

        static let adding = BodySchema(
            blank: Wanted(),
            [
                .required("address", \.address, .text(0...Int.max, .address)),
                .optional("fixed_address", \.fixed, .text(0...Int.max, .address))
            ]
        ).format()
        static let removing = BodySchema(
            blank: Wanted(), [.required("address", \.address, .text(0...Int.max, .address))]
        ).format()
    }

    private func subject(
        _ call: APICall, rule: String, _ wanted: Wanted
    ) async throws -> (server: ServerRecord, floating: JSON) {
        let permissions = try call.permissions()
        let parts = parts
        let server = try await call.database.read {
            try ServerAccess(parts: parts).findToChange(
                call.parameter("server_id"), rule: rule, by: permissions, in: $0)
        }
        let found = try await items("floatingips", "?floating_ip_address=\(wanted.address)", call)
        guard let floating = found.first else { throw APIError.notFound("floating IP not found") }
        return (server, floating)
    }

    func add(_ call: APICall, _ argument: JSON) async throws -> APIResponse {
        let wanted = try Nova.read(argument, Wanted.adding, under: "addFloatingIp")
        let (server, floating) = try await subject(call, rule: "os-floating-ips:add", wanted)
        let parts = parts
        let ports = try await call.database.read { try parts.network.ports(of: [server.id], in: $0)[server.id] ?? [] }
        let places = ports.flatMap { port in port.fixedIPs.map { (port: port.port, address: $0.address) } }
            .filter { $0.address.family == .ipv4 }
        guard !places.isEmpty else {
            throw APIError.badRequest("No fixed IPs associated to instance")
        }
        let place = places.first { wanted.fixed == nil || $0.address == wanted.fixed.flatMap { IPAddress($0) } }
        guard let place else { throw APIError.badRequest("Specified fixed address not assigned to instance") }
        do {
            _ = try await proxies.send(
                .put, "\(Self.path)/\(floating["id"]?.stringValue ?? "")",
                [
                    "floatingip": [
                        "port_id": .string(place.port.text), "fixed_ip_address": .string(place.address.description)
                    ]
                ], for: call)
        } catch let error as APIError where [404, 409].contains(error.status) {
            throw APIError.badRequest(
                "Unable to associate floating IP \(wanted.address) to fixed IP \(place.address) for instance "
                    + "\(server.id). Error: \(error.message)")
        }
        return .empty(202)
    }

    func remove(_ call: APICall, _ argument: JSON) async throws -> APIResponse {
        let wanted = try Nova.read(argument, Wanted.removing, under: "removeFloatingIp")
        let (server, floating) = try await subject(call, rule: "os-floating-ips:remove", wanted)
        let parts = parts
        let ports = try await call.database.read { try parts.network.ports(of: [server.id], in: $0)[server.id] ?? [] }
        guard ports.contains(where: { $0.port.text == floating["port_id"]?.stringValue }) else {
            throw APIError.conflict(
                "Floating IP \(wanted.address) is not associated with instance \(server.id).")
        }
        _ = try await proxies.send(
            .put, "\(Self.path)/\(floating["id"]?.stringValue ?? "")", ["floatingip": ["port_id": .null]], for: call)
        return .empty(202)
    }
}
