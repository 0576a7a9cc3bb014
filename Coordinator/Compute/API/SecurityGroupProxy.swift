import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel

/// `/os-security-groups` and `/os-security-group-rules`, to 2.35; `/servers/{id}/os-security-groups`.
struct SecurityGroupProxy: Sendable {
    let parts: ComputeParts
    let proxies: ProxyCalls

    var all: [Route] {
        let path = "/v2.1/os-security-groups"
        return [
            Route(.get, path, handler: list).gatedCompute(by: "os-security-groups:get")
                .asking("get_security_group"),
            Route(.post, path, action: "compute.security_group.create", handler: create)
                .gatedCompute(by: "os-security-groups:create").asking("create_security_group"),
            Route(.get, path + "/{id}", handler: show).gatedCompute(by: "os-security-groups:show")
                .asking("get_security_group"),
            Route(.put, path + "/{id}", action: "compute.security_group.update", handler: update)
                .gatedCompute(by: "os-security-groups:update").asking("update_security_group", "get_security_group"),
            Route(.delete, path + "/{id}", action: "compute.security_group.delete", handler: delete)
                .gatedCompute(by: "os-security-groups:delete").asking("delete_security_group"),
            Route(
                .post, "/v2.1/os-security-group-rules", action: "compute.security_group_rule.create",
                handler: createRule
            )
            .gatedCompute(by: "os-security-groups:rule:create")
            .asking("create_security_group_rule", "get_security_group"),
            Route(
                .delete, "/v2.1/os-security-group-rules/{id}", action: "compute.security_group_rule.delete",
                handler: deleteRule
            )
            .gatedCompute(by: "os-security-groups:rule:delete").asking("delete_security_group_rule"),
            Route(.get, "/v2.1/servers/{server_id}/os-security-groups", handler: listOfServer)
                .askingCompute("os-security-groups:list").asking("get_security_group", "get_port")
        ]
    }

    private static let path = "/network/v2.0/security-groups"

    /// What the network refuses, with the statuses that the compute API has for it.
    private static func renamed<T>(_ body: () async throws -> T) async throws -> T {
        do { return try await body() } catch var error as APIError {
            if error.status == 409 { error.status = error.type == "OverQuota" ? 403 : 400 }
            throw error
        }
    }

    private static func id(_ call: APICall, of what: String) throws -> String {
        try call.requireVersion(!call.microversion.has(ProxyVersion.last + 1))
        let id = call.parameter("id")
        guard AnyID(id) != nil else { throw APIError.badRequest("\(what) id should be uuid") }
        return id
    }

    // MARK: Groups

    /// - Parameter names: Of groups that rules refer to, by id.
    private static func render(_ group: JSON, _ others: [String: JSON]) -> JSON {
        let rules = (group["security_group_rules"]?.arrayValue ?? []).filter { $0["direction"] == "ingress" }
        return [
            "id": group["id"] ?? .null, "name": group["name"] ?? "", "description": group["description"] ?? "",
            "tenant_id": group["tenant_id"] ?? "", "rules": .array(rules.map { render(rule: $0, others) })
        ]
    }

    private static func render(rule: JSON, _ others: [String: JSON]) -> JSON {
        var out: [String: JSON] = [
            "id": rule["id"] ?? .null, "parent_group_id": rule["security_group_id"] ?? .null,
            "ip_protocol": rule["protocol"] ?? .null, "from_port": rule["port_range_min"] ?? .null,
            "to_port": rule["port_range_max"] ?? .null, "group": [:], "ip_range": [:]
        ]
        if let word = rule["protocol"]?.stringValue, out["from_port"] == .null, out["to_port"] == .null {
            let hasPorts = ["tcp", "udp"].contains(word)
            out["from_port"] = hasPorts ? 1 : -1
            out["to_port"] = hasPorts ? 65_535 : -1
        }
        if let remote = rule["remote_group_id"]?.stringValue {
            let other = others[remote]
            out["group"] = ["name": other?["name"] ?? "", "tenant_id": other?["tenant_id"] ?? ""]
        } else {
            let any: JSON = rule["ethertype"] == "IPv6" ? "::/0" : "0.0.0.0/0"
            let prefix = rule["remote_ip_prefix"] ?? .null
            out["ip_range"] = ["cidr": prefix.isNull ? any : prefix]
        }
        return .object(out)
    }

    /// All that the caller sees of the project's, which rules refer to by id.
    private func groups(_ query: String, _ call: APICall) async throws -> [JSON] {
        let found = try await proxies.send(.get, Self.path + query, for: call)
        return found["security_groups"]?.arrayValue ?? []
    }

    private func render(_ groups: [JSON], _ call: APICall) async throws -> [JSON] {
        let isReferring = groups.contains { group in
            group["security_group_rules"]?.arrayValue?.contains { $0["remote_group_id"]?.stringValue != nil } ?? false
        }
        let others = try await isReferring ? self.groups("", call) : []
        let byID = Dictionary(
            others.map { ($0["id"]?.stringValue ?? "", $0) }, uniquingKeysWith: { first, _ in first })
        return groups.map { Self.render($0, byID) }
    }

    private func answer(_ group: JSON?, _ call: APICall) async throws -> APIResponse {
        .json(["security_group": try await render([group ?? [:]], call).first ?? [:]])
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(!call.microversion.has(ProxyVersion.last + 1))
        let wantsAll = call.query("all_tenants").flatMap { BooleanWords.loose($0) } ?? false
        let project = try call.requireProject().project
        let isAdmin = call.caller?.isAdmin ?? false
        let found = try await groups(wantsAll && isAdmin ? "" : "?project_id=\(project.compact)", call)
        func key(_ group: JSON) -> (String, String) {
            (group["tenant_id"]?.stringValue ?? "", group["name"]?.stringValue ?? "")
        }
        let limit = call.query("limit").flatMap { Int($0) } ?? parts.settings.pageLimit
        let offset = call.query("offset").flatMap { Int($0) } ?? 0
        let shown = found.sorted { key($0) < key($1) }.dropFirst(max(0, offset)).prefix(max(0, limit))
        return .json(["security_groups": .array(try await render(Array(shown), call))])
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let id = try Self.id(call, of: "Security group")
        return try await Self.renamed {
            try await answer(try await proxies.send(.get, "\(Self.path)/\(id)", for: call)["security_group"], call)
        }
    }

    private struct Draft: Sendable {
        var name = ""
        var description: String?

        static let schema = BodySchema(
            blank: Draft(),
            [
                .required("name", \.name, .text(1...255)),
                .given("description", \.description, BodyFormat<String>.text(0...255).nullable)
            ])

        static func read(_ call: APICall) async throws -> JSON {
            let draft = try schema.read(try await call.json(), under: "security_group", wording: Nova.body)
            return [
                "security_group": ["name": .string(draft.name), "description": .string(draft.description ?? "")]
            ]
        }
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(!call.microversion.has(ProxyVersion.last + 1))
        let body = try await Draft.read(call)
        return try await Self.renamed {
            try await answer(try await proxies.send(.post, Self.path, body, for: call)["security_group"], call)
        }
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        let id = try Self.id(call, of: "Security group")
        let body = try await Draft.read(call)
        return try await Self.renamed {
            try await answer(
                try await proxies.send(.put, "\(Self.path)/\(id)", body, for: call)["security_group"], call)
        }
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        let id = try Self.id(call, of: "Security group")
        _ = try await Self.renamed { try await proxies.send(.delete, "\(Self.path)/\(id)", for: call) }
        return .empty(202)
    }

    // MARK: Rules

    private struct Rule: Sendable {
        var parent = ""
        var `protocol`: String?
        var from: Int?
        var to: Int?
        var prefix: String?
        var group: String?

        private static let port = BodyFormat<Int>.integer(-1...65_535, orText: true).nullable
        static let schema = BodySchema(
            blank: Rule(),
            [
                .required("parent_group_id", \.parent, .text()),
                .given("ip_protocol", \.protocol, BodyFormat<String>.text(0...64).nullable),
                .given("from_port", \.from, port), .given("to_port", \.to, port),
                .given("cidr", \.prefix, BodyFormat<String>.text(0...64).nullable),
                .given("group_id", \.group, BodyFormat<String>.text(0...64).nullable)
            ])

        /// As the network has it.
        func body() throws -> JSON {
            guard AnyID(parent) != nil else { throw APIError.badRequest("Security group id should be uuid") }
            if group == nil || `protocol` != nil {
                guard let `protocol`, from != nil, to != nil else {
                    throw APIError.badRequest("Not enough parameters to build a valid rule.")
                }
                guard ["tcp", "udp", "icmp"].contains(`protocol`.lowercased()) else {
                    throw APIError.badRequest("Invalid IP protocol \(`protocol`).")
                }
            }
            var rule: [String: JSON] = [
                "security_group_id": .string(parent), "direction": "ingress",
                "protocol": JSON(`protocol`?.lowercased())
            ]
            if let from, from >= 0 { rule["port_range_min"] = JSON(from) }
            if let to, to >= 0 { rule["port_range_max"] = JSON(to) }
            if let group {
                rule["remote_group_id"] = .string(group)
            } else {
                let prefix = prefix.flatMap { $0.isEmpty ? nil : $0 } ?? "0.0.0.0/0"
                guard let read = IPPrefix(prefix) else {
                    throw APIError.badRequest("Invalid CIDR \(prefix).")
                }
                rule["remote_ip_prefix"] = .string(prefix)
                rule["ethertype"] = read.network.family == .ipv6 ? "IPv6" : "IPv4"
            }
            return ["security_group_rule": .object(rule)]
        }
    }

    @Sendable private func createRule(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(!call.microversion.has(ProxyVersion.last + 1))
        let draft = try Rule.schema.read(
            try await call.json(), under: "security_group_rule", wording: Nova.body)
        let body = try draft.body()
        return try await Self.renamed {
            let made = try await proxies.send(.post, "/network/v2.0/security-group-rules", body, for: call)
            var others: [String: JSON] = [:]
            if let group = draft.group {
                others[group] = try await proxies.send(.get, "\(Self.path)/\(group)", for: call)["security_group"]
            }
            return .json(["security_group_rule": Self.render(rule: made["security_group_rule"] ?? [:], others)])
        }
    }

    @Sendable private func deleteRule(_ call: APICall) async throws -> APIResponse {
        let id = try Self.id(call, of: "Security group rule")
        _ = try await Self.renamed {
            try await proxies.send(.delete, "/network/v2.0/security-group-rules/\(id)", for: call)
        }
        return .empty(202)
    }

    // MARK: Of a server

    @Sendable private func listOfServer(_ call: APICall) async throws -> APIResponse {
        let permissions = try call.permissions()
        let parts = parts
        let server = try await call.database.read {
            try ServerAccess(parts: parts).find(
                call.parameter("server_id"), asking: "os-security-groups:list", by: permissions, in: $0)
        }
        let ports = try await proxies.send(.get, "/network/v2.0/ports?device_id=\(server.id)", for: call)
        let ids = Set(
            (ports["ports"]?.arrayValue ?? []).flatMap { $0["security_groups"]?.arrayValue ?? [] }
                .compactMap(\.stringValue))
        guard !ids.isEmpty else { return .json(["security_groups": []]) }
        let found = try await groups("?" + ids.sorted().map { "id=\($0)" }.joined(separator: "&"), call)
        func name(_ group: JSON) -> String { group["name"]?.stringValue ?? "" }
        return .json([
            "security_groups": .array(try await render(found.sorted { name($0) < name($1) }, call))
        ])
    }
}
