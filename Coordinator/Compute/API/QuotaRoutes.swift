import CoordinatorPlatform
import ProtocolModel

/// `/os-quota-sets` and `/limits`.
struct QuotaRoutes: Sendable {
    let parts: ComputeParts
    private var ledger: QuotaLedger { parts.quotas.ledger }

    init(parts: ComputeParts) { self.parts = parts }

    var all: [Route] {
        let path = "/v2.1/os-quota-sets/{project_id}"
        return [
            Route(.get, path, handler: show).askingCompute("os-quota-sets:show"),
            Route(.get, path + "/detail", handler: detail).askingCompute("os-quota-sets:detail"),
            Route(.get, path + "/defaults", handler: defaults).gatedCompute(by: "os-quota-sets:defaults"),
            Route(.put, path, action: "compute.quota.update", handler: update)
                .askingCompute("os-quota-sets:update"),
            Route(.delete, path, action: "compute.quota.delete", handler: delete)
                .askingCompute("os-quota-sets:delete"),
            Route(.get, "/v2.1/limits", handler: limits).gatedCompute(by: "limits").askingCompute(
                "limits:other_project")
        ]
    }

    static let networkNames: Set<String> = [
        "fixed_ips", "floating_ips", "security_group_rules", "security_groups"
    ]
    static let fileNames: Set<String> = [
        "injected_files", "injected_file_content_bytes", "injected_file_path_bytes"
    ]

    /// What a version knows of quotas: networks left at 2.36, files at 2.57, server groups came at 2.50.
    private func names(_ version: Microversion) -> [String] {
        ledger.defaults.keys.filter { name in
            !(version.has(36) && Self.networkNames.contains(name))
                && !(version.has(57) && Self.fileNames.contains(name))
        }
    }

    private func render(_ limits: QuotaLedger.Limits, id: String?, _ version: Microversion) -> JSON {
        var out: [String: JSON] = [:]
        for name in names(version) { out[name] = JSON(limits[name] ?? -1) }
        if let id { out["id"] = .string(id) }
        return ["quota_set": .object(out)]
    }

    /// One's own project, or any for administrators.
    private func authorize(_ call: APICall, _ rule: String) throws -> ProjectID {
        let id = call.parameter("project_id")
        // What is no identifier is nobody's project.
        let target = Policy.Target(project: ProjectID(id) ?? ProjectID(high: 0, low: 0))
        try call.authorizeCompute("os-quota-sets:\(rule)", target)
        guard let project = ProjectID(id) else {
            throw APIError.badRequest("Project ID \(id) is not a valid project.")
        }
        return project
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let project = try authorize(call, "show")
        try call.refuseUnknownQuery(known: ["user_id"])
        let ledger = ledger
        let limits = try await call.database.read { try ledger.limits(of: project, in: $0) }
        return .json(render(limits, id: call.parameter("project_id"), call.microversion))
    }

    @Sendable private func defaults(_ call: APICall) async throws -> APIResponse {
        let ledger = ledger
        let limits = try await call.database.read { try ledger.defaults(in: $0) }
        return .json(render(limits, id: call.parameter("project_id"), call.microversion))
    }

    /// What a project may have and has, of what the version knows.
    private func standing(
        of project: ProjectID?, _ call: APICall
    ) async throws -> (names: [String], limits: QuotaLedger.Limits, used: [String: Int]) {
        let ledger = ledger
        let names = names(call.microversion)
        return try await call.database.read { reader in
            guard let project else { return (names, try ledger.defaults(in: reader), [:]) }
            return (names, try ledger.limits(of: project, in: reader), try ledger.used(names, by: project, in: reader))
        }
    }

    @Sendable private func detail(_ call: APICall) async throws -> APIResponse {
        let project = try authorize(call, "detail")
        try call.refuseUnknownQuery(known: ["user_id"])
        let (names, limits, used) = try await standing(of: project, call)
        var out: [String: JSON] = ["id": .string(call.parameter("project_id"))]
        for name in names {
            out[name] = ["limit": JSON(limits[name] ?? -1), "in_use": JSON(used[name] ?? 0), "reserved": 0]
        }
        return .json(["quota_set": .object(out)])
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        let project = try authorize(call, "update")
        try Self.refuseUser(call)
        let draft = try Self.schema(names(call.microversion)).read(
            try await call.json(), under: "quota_set", wording: Nova.body)
        let ledger = ledger
        let limits = try await call.write { transaction in
            let used = try ledger.used(draft.limits.keys.sorted(), by: project, in: transaction)
            for (name, limit) in draft.limits.sorted(by: { $0.key < $1.key }) {
                let least = used[name] ?? 0
                guard draft.isForced || limit < 0 || limit >= least else {
                    throw APIError.badRequest(
                        "Quota limit \(limit) for \(name) must be greater than or equal to already used and reserved "
                            + "\(least).")
                }
                try ledger.set(limit, of: name, for: project, in: transaction)
            }
            return try ledger.limits(of: project, in: transaction)
        }
        return .json(render(limits, id: nil, call.microversion))
    }

    /// A limit that was meant for one of its users must not become the whole project's.
    private static func refuseUser(_ call: APICall) throws {
        guard call.query("user_id") != nil else { return }
        throw APIError.badRequest("Quotas of users are not available: limits are a project's. Leave 'user_id' out.")
    }

    private struct Draft: Sendable {
        var limits: [String: Int] = [:]
        var isForced = false
    }

    private static func schema(_ names: [String]) -> BodySchema<Draft> {
        BodySchema(
            blank: Draft(),
            names.sorted().map { .optional($0, \.limits[$0], .integer(-1...0x7FFF_FFFF, orText: true)) } + [
                .given("force", \.isForced, Nova.flag)
            ])
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        let project = try authorize(call, "delete")
        try Self.refuseUser(call)
        let ledger = ledger
        try await call.write { try ledger.reset(project, in: $0) }
        return .empty(202)
    }

    private static let limitNames: [String: [String]] = [
        "ram": ["maxTotalRAMSize"], "instances": ["maxTotalInstances"], "cores": ["maxTotalCores"],
        "key_pairs": ["maxTotalKeypairs"], "floating_ips": ["maxTotalFloatingIps"],
        "metadata_items": ["maxServerMeta", "maxImageMeta"], "injected_files": ["maxPersonality"],
        "injected_file_content_bytes": ["maxPersonalitySize"], "security_groups": ["maxSecurityGroups"],
        "security_group_rules": ["maxSecurityGroupRules"], "server_groups": ["maxServerGroups"],
        "server_group_members": ["maxServerGroupMembers"]
    ]
    private static let usedNames: [String: String] = [
        "totalRAMUsed": "ram", "totalCoresUsed": "cores", "totalInstancesUsed": "instances",
        "totalFloatingIpsUsed": "floating_ips", "totalSecurityGroupsUsed": "security_groups",
        "totalServerGroupsUsed": "server_groups"
    ]

    @Sendable private func limits(_ call: APICall) async throws -> APIResponse {
        let caller = try call.requireCaller()
        try call.refuseUnknownQuery(known: ["tenant_id"])
        var project = caller.project
        if let other = call.query("tenant_id") {
            if project == nil || ProjectID(other) != project { try call.authorizeCompute("limits:other_project") }
            project = ProjectID(other)
        }
        let (names, limits, used) = try await standing(of: project, call)
        var absolute: [String: JSON] = [:]
        for name in names {
            for shown in Self.limitNames[name] ?? [] { absolute[shown] = JSON(limits[name] ?? -1) }
        }
        if call.microversion.has(39) { absolute["maxImageMeta"] = nil }
        for (shown, name) in Self.usedNames where names.contains(name) { absolute[shown] = JSON(used[name] ?? 0) }
        return .json(["limits": ["rate": [], "absolute": .object(absolute)]])
    }
}
