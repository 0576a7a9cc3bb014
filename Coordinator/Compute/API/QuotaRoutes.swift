import CoordinatorPlatform
import ProtocolModel

/// `/os-quota-sets` and `/limits`.
struct QuotaRoutes: Sendable {
    let parts: ComputeParts

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

    private static let networkNames: Set<String> = [
        "fixed_ips", "floating_ips", "security_group_rules", "security_groups"
    ]
    private static let fileNames: Set<String> = [
        "injected_files", "injected_file_content_bytes", "injected_file_path_bytes"
    ]

    /// What a version knows of quotas: networks left at 2.36, files at 2.57, server groups came at 2.50.
    private func names(_ version: Microversion) -> [String] {
        parts.settings.quotas.keys.filter { name in
            !(version.has(36) && Self.networkNames.contains(name))
                && !(version.has(57) && Self.fileNames.contains(name))
        }
    }

    private func render(_ limits: [String: Int64], id: String?, _ version: Microversion) -> JSON {
        var out: [String: JSON] = [:]
        for name in names(version) { out[name] = JSON(limits[name] ?? -1) }
        if let id { out["id"] = .string(id) }
        return ["quota_set": .object(out)]
    }

    /// One's own project, or any for administrators.
    private func authorize(_ call: APICall, _ rule: String) throws -> String {
        let id = call.parameter("project_id")
        // What is no identifier is nobody's project.
        let target = Policy.Target(project: ProjectID(id) ?? ProjectID(high: 0, low: 0))
        try call.authorizeCompute("os-quota-sets:\(rule)", target)
        guard let project = ProjectID(id) else {
            throw APIError.badRequest("Project ID \(id) is not a valid project.")
        }
        return project.compact
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let project = try authorize(call, "show")
        let rules = QuotaRules(parts: parts)
        let limits = try await call.database.read { try rules.limits(of: project, in: $0) }
        return .json(render(limits, id: call.parameter("project_id"), call.microversion))
    }

    @Sendable private func defaults(_ call: APICall) async throws -> APIResponse {
        .json(render(parts.settings.quotas, id: call.parameter("project_id"), call.microversion))
    }

    private func usage(of project: String, in reader: any SQLReader) throws -> [String: Int] {
        guard let id = ProjectID(project) else { return [:] }
        let usage = try parts.servers.usage(of: id, in: reader)
        return ["instances": usage.instances, "cores": usage.cores, "ram": usage.memoryMiB]
    }

    @Sendable private func detail(_ call: APICall) async throws -> APIResponse {
        let project = try authorize(call, "detail")
        let rules = QuotaRules(parts: parts)
        let (limits, used) = try await call.database.read { reader in
            (try rules.limits(of: project, in: reader), try usage(of: project, in: reader))
        }
        var out: [String: JSON] = ["id": .string(call.parameter("project_id"))]
        for name in names(call.microversion) {
            out[name] = ["limit": JSON(limits[name] ?? -1), "in_use": JSON(used[name] ?? 0), "reserved": 0]
        }
        return .json(["quota_set": .object(out)])
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        let project = try authorize(call, "update")
        let body = try await call.json()
        let wanted = try readUpdate(body, call.microversion)
        let isForced = body["quota_set"]?["force"].flatMap(Python.boolean) ?? false
        let rules = QuotaRules(parts: parts)
        let store = parts.quotas
        let limits = try await call.write { transaction in
            let used = try usage(of: project, in: transaction)
            for (name, limit) in wanted.sorted(by: { $0.key < $1.key }) {
                let least = used[name] ?? 0
                guard isForced || limit < 0 || limit >= least else {
                    throw APIError.badRequest(
                        "Quota limit \(limit) for \(name) must be greater than or equal to already used and reserved "
                            + "\(least).")
                }
                try store.set(limit, for: name, project: project, in: transaction)
            }
            return try rules.limits(of: project, in: transaction)
        }
        return .json(render(limits, id: nil, call.microversion))
    }

    private func readUpdate(_ body: JSON, _ version: Microversion) throws -> [String: Int64] {
        let names = names(version)
        guard let members = body["quota_set"]?.objectValue, body.objectValue?.count == 1 else {
            throw APIError.badRequest("'quota_set' is a required property")
        }
        var wanted: [String: Int64] = [:]
        for (name, value) in members where name != "force" {
            guard names.contains(name) else {
                throw APIError.badRequest(
                    "Invalid input for field/attribute quota_set. Value: \(Python.repr(.object(members))). Additional "
                        + "properties are not allowed ('\(name)' was unexpected)")
            }
            guard let number = Python.integer(value), number >= -1, number <= 0x7FFF_FFFF else {
                throw APIError.badRequest(
                    "Invalid input for field/attribute \(name). Value: \(Python.text(value)). \(Python.repr(value)) is "
                        + "not an integer from -1 to 2147483647")
            }
            wanted[name] = Int64(number)
        }
        return wanted
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        let project = try authorize(call, "delete")
        let store = parts.quotas
        try await call.write { try store.clear(project, in: $0) }
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
        try call.refuseUnknownQuery(from: 75, known: ["tenant_id", "reserved"])
        var project = caller.project
        if let other = call.query("tenant_id") {
            if project == nil || ProjectID(other) != project { try call.authorizeCompute("limits:other_project") }
            project = ProjectID(other)
        }
        let id = project?.compact ?? ""
        let rules = QuotaRules(parts: parts)
        let (limits, used) = try await call.database.read { reader in
            (try rules.limits(of: id, in: reader), try usage(of: id, in: reader))
        }
        let names = names(call.microversion)
        var absolute: [String: JSON] = [:]
        for name in names {
            for shown in Self.limitNames[name] ?? [] { absolute[shown] = JSON(limits[name] ?? -1) }
        }
        if call.microversion.has(39) { absolute["maxImageMeta"] = nil }
        for (shown, name) in Self.usedNames where names.contains(name) { absolute[shown] = JSON(used[name] ?? 0) }
        return .json(["limits": ["rate": [], "absolute": .object(absolute)]])
    }
}
