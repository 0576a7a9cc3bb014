import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/quotas`.
struct QuotaRoutes: Sendable {
    let service: NetworkService
    private var quotas: QuotaLedger { service.quotas }

    init(service: NetworkService) { self.service = service }

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

    /// The project whose quota the caller may see.
    private func shownProject(_ call: APICall) throws -> ProjectID {
        let project = try project(call)
        try call.authorize("get_quota", project: project)
        return project
    }

    private static func answer(_ members: [String: JSON]) -> APIResponse { .json(["quota": .object(members)]) }
    private static func answer(_ limits: QuotaLedger.Limits) -> APIResponse { answer(limits.mapValues { JSON($0) }) }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        try call.authorize("list_quotas")
        let views = try await call.database.read { reader in
            try quotas.projects(in: reader).map { project -> JSON in
                var view = try quotas.limits(of: project, in: reader).mapValues { JSON($0) }
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
        let project = try shownProject(call)
        return Self.answer(try await call.database.read { try quotas.limits(of: project, in: $0) })
    }

    @Sendable private func defaults(_ call: APICall) async throws -> APIResponse {
        _ = try shownProject(call)
        return Self.answer(quotas.defaults)
    }

    @Sendable private func details(_ call: APICall) async throws -> APIResponse {
        let project = try shownProject(call)
        let (limits, used) = try await call.database.read { reader in
            let limits = try quotas.limits(of: project, in: reader)
            return (limits, try quotas.used(Array(limits.keys), by: project, in: reader))
        }
        return Self.answer(
            Dictionary(
                uniqueKeysWithValues: limits.map { name, limit in
                    (name, ["limit": JSON(limit), "reserved": 0, "used": JSON(used[name] ?? 0)] as JSON)
                }))
    }

    /// What a body may say: limits, and whether they may be below what is used.
    private struct Change: Sendable {
        var limits: [String: Int] = [:]
        var isForced = false
        /// Says again whose it is.
        var project: String?
        var tenant: String?
        /// Limits are checked unless they are forced, whatever this says (`quota-check-limit-default`).
        var checks = true
    }

    private static let limit = BodyFormat<Int> { json throws(BodyFailure) in
        guard let limit = json.intValue ?? json.stringValue.flatMap({ Int64($0) }),
            (-1...Int64(Int32.max)).contains(limit)
        else { throw BodyFailure(.sentence("'\(json.text)' is not an integer from -1 to \(Int32.max)"), json) }
        return Int(limit)
    }

    private var schema: BodySchema<Change> {
        let limits = quotas.resources.map { resource in
            BodyField<Change>.special(resource.name) { json, change throws(BodyFailure) in
                change.limits[resource.name] = try Self.limit.read(json)
            }
        }
        let others: [BodyField<Change>] = [
            .optional("project_id", \.project, Form.text), .optional("tenant_id", \.tenant, Form.text),
            .given("check_limit", \.checks, Form.flag), .given("force", \.isForced, Form.flag)
        ]
        return BodySchema(blank: Change(), limits + others)
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        let project = try project(call)
        try call.authorize("update_quota")
        guard let body = try await call.json()["quota"], body.objectValue != nil else {
            throw APIError.http("Unable to find 'quota' in request body")
        }
        let change = try schema.read(body, wording: Neutron.bodyWords)
        for name in [change.project, change.tenant] where name != nil && name.flatMap({ ProjectID($0) }) != project {
            throw APIError.http("The body is for project '\(name ?? "")', the path for '\(project.compact)'")
        }
        let limits = try await call.write { transaction in
            for (name, limit) in change.limits.sorted(by: { $0.key < $1.key }) {
                let used = try quotas.used(name, by: project, in: transaction)
                if !change.isForced, limit >= 0, used > limit {
                    throw APIError.http(
                        "Quota limit \(limit) for \(name) must be greater than or equal to already used \(used)")
                }
                try service.setQuota(limit, of: name, project: project, in: transaction)
            }
            return try quotas.limits(of: project, in: transaction)
        }
        return Self.answer(limits)
    }

    @Sendable private func reset(_ call: APICall) async throws -> APIResponse {
        let project = try project(call)
        try call.authorize("delete_quota")
        try await call.write { try quotas.reset(project, in: $0) }
        return .empty(204)
    }
}
