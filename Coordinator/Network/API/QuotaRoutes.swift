import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/quotas`.
struct QuotaRoutes: Sendable {
    let service: NetworkService

    var routes: [Route] {
        [
            Route(.get, "/v2.0/quotas", handler: list).asking("list_quotas"),
            Route(.get, "/v2.0/quotas/project", handler: ownProject)
                .open(because: "says only which project the token is for"),
            Route(.get, "/v2.0/quotas/tenant", handler: ownProject)
                .open(because: "says only which project the token is for"),
            Route(.get, "/v2.0/quotas/{project}", handler: show).asking("get_quota"),
            Route(.get, "/v2.0/quotas/{project}/default", handler: defaults).asking("get_quota"),
            Route(.get, "/v2.0/quotas/{project}/details", handler: details).asking("get_quota"),
            Route(.get, "/v2.0/quotas/{project}/details.json", handler: details).asking("get_quota"),
            Route(.put, "/v2.0/quotas/{project}", action: "network.quota.update", handler: update)
                .asking("update_quota"),
            Route(.delete, "/v2.0/quotas/{project}", action: "network.quota.delete", handler: reset)
                .asking("delete_quota")
        ]
    }

    private func project(_ call: APICall) throws -> ProjectID {
        guard let project = ProjectID(call.parameter("project")) else {
            throw APIError.notFound(
                "Quota for project \(call.parameter("project")) could not be found.", type: "ProjectQuotaNotFound")
        }
        return project
    }

    private func view(_ project: ProjectID, in reader: any SQLReader) throws -> [String: JSON] {
        var view: [String: JSON] = [:]
        for (resource, limit) in try service.limits(of: project, in: reader) { view[resource.rawValue] = JSON(limit) }
        return view
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        try call.authorize("list_quotas")
        let views = try await call.database.read { reader in
            try service.quotas.all(in: reader).keys.sorted().map { project -> JSON in
                var view = try self.view(project, in: reader)
                view["tenant_id"] = JSON(project.compact)
                view["project_id"] = JSON(project.compact)
                return .object(view)
            }
        }
        return .json(["quotas": .array(views)])
    }

    @Sendable private func ownProject(_ call: APICall) async throws -> APIResponse {
        guard let project = try call.requireCaller().project else {
            throw APIError.badRequest("Project-id was missing from quota request.", type: "QuotaMissingProject")
        }
        let key = call.path.hasSuffix("tenant") ? "tenant" : "project"
        return .json(.object([key: .object(["\(key)_id": JSON(project.compact)])]))
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let project = try project(call)
        try call.authorize("get_quota", project: project)
        return .json(["quota": .object(try await call.database.read { try view(project, in: $0) })])
    }

    @Sendable private func defaults(_ call: APICall) async throws -> APIResponse {
        try call.authorize("get_quota", project: try project(call))
        return .json([
            "quota": .object(
                Dictionary(uniqueKeysWithValues: QuotaResource.allCases.map { ($0.rawValue, JSON($0.defaultLimit)) }))
        ])
    }

    @Sendable private func details(_ call: APICall) async throws -> APIResponse {
        let project = try project(call)
        try call.authorize("get_quota", project: project)
        let view = try await call.database.read { reader in
            try service.limits(of: project, in: reader).reduce(into: [String: JSON]()) { view, item in
                view[item.resource.rawValue] = [
                    "limit": JSON(item.limit), "reserved": 0,
                    "used": JSON(try service.quotas.used(item.resource, by: project, in: reader))
                ]
            }
        }
        return .json(["quota": .object(view)])
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        let project = try project(call)
        try call.authorize("update_quota")
        guard var members = try await call.json()["quota"]?.objectValue else {
            throw APIError.http("Unable to find 'quota' in request body")
        }
        let isForced = members.removeValue(forKey: "force")?.boolValue ?? false
        for name in ["check_limit", "tenant_id", "project_id"] { members[name] = nil }
        let limits = try members.map { name, value -> (QuotaResource, Int) in
            guard let resource = QuotaResource(rawValue: name) else {
                throw APIError.http("Unrecognized attribute(s) '\(name)'")
            }
            guard let limit = value.intValue ?? value.stringValue.flatMap({ Int64($0) }),
                (-1...Int64(Int32.max)).contains(limit)
            else { throw Attributes.invalid(name, "'\(value.text)' is not an integer from -1 to \(Int32.max)") }
            return (resource, Int(limit))
        }
        let view = try await call.write { transaction in
            for (resource, limit) in limits {
                let used = try service.quotas.used(resource, by: project, in: transaction)
                if !isForced, limit >= 0, used > limit {
                    throw APIError.http(
                        "Quota limit \(limit) for \(resource.rawValue) must be greater than or equal to already used "
                            + "\(used)")
                }
                try service.setQuota(limit, of: resource.rawValue, project: project, in: transaction)
            }
            return try self.view(project, in: transaction)
        }
        return .json(["quota": .object(view)])
    }

    @Sendable private func reset(_ call: APICall) async throws -> APIResponse {
        let project = try project(call)
        try call.authorize("delete_quota")
        try await call.write { try service.quotas.reset(project, in: $0) }
        return .empty(204)
    }
}
