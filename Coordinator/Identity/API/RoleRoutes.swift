import CoordinatorPlatform
import ProtocolModel

/// Roles that imply roles.
struct RoleRoutes: Sendable {
    let identity: IdentityService

    var all: [Route] {
        [
            Route(.get, "/v3/role_inferences", handler: listAll).asking("identity:list_role_inference_rules"),
            Route(.get, "/v3/roles/{prior}/implies", handler: list).asking("identity:list_implied_roles"),
            Route(.get, "/v3/roles/{prior}/implies/{implied}", handler: show).asking("identity:get_implied_role"),
            Route(.head, "/v3/roles/{prior}/implies/{implied}", handler: check).asking("identity:get_implied_role"),
            Route(.put, "/v3/roles/{prior}/implies/{implied}", action: "identity.role.imply", handler: create).asking(
                "identity:create_implied_role"),
            Route(.delete, "/v3/roles/{prior}/implies/{implied}", action: "identity.role.unimply", handler: delete)
                .asking("identity:delete_implied_role")
        ]
    }

    private func role(_ key: String) throws -> Role {
        guard let role = identity.directory.state.roles[key] else { throw IdentityAPI.notFound("role", key) }
        return role
    }

    private func summary(_ role: Role, _ call: APICall) -> JSON {
        let link: JSON = ["self": .string(Rendering.link(call, "roles/\(role.key)"))]
        return ["id": .string(role.key), "name": .string(role.name), "links": link]
    }

    private func inference(_ prior: Role, _ call: APICall) -> [String: JSON] {
        let state = identity.directory.state
        let implied = (state.implications[prior.key] ?? []).compactMap { state.roles[$0] }.sorted { $0.name < $1.name }
        return ["prior_role": summary(prior, call), "implies": .array(implied.map { summary($0, call) })]
    }

    private func listAll(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:list_role_inference_rules")
        let state = identity.directory.state
        let priors = state.implications.filter { !$0.value.isEmpty }.keys.compactMap { state.roles[$0] }
        let list = priors.sorted { $0.name < $1.name }.map { JSON.object(inference($0, call)) }
        return .json(["role_inferences": .array(list)])
    }

    private func list(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:list_implied_roles")
        let prior = try role(call.parameter("prior"))
        return .json([
            "role_inference": .object(inference(prior, call)),
            "links": ["self": .string(Rendering.link(call, "roles/\(prior.key)/implies"))]
        ])
    }

    private func pair(_ call: APICall, rule: String) throws -> (prior: Role, implied: Role) {
        try call.authorize(rule)
        return (try role(call.parameter("prior")), try role(call.parameter("implied")))
    }

    private func one(_ prior: Role, _ implied: Role, _ call: APICall, status: Int) -> APIResponse {
        let inference: JSON = ["prior_role": summary(prior, call), "implies": summary(implied, call)]
        let link = Rendering.link(call, "roles/\(prior.key)/implies/\(implied.key)")
        return .json(["role_inference": inference, "links": ["self": .string(link)]], status: status)
    }

    private func show(_ call: APICall) async throws -> APIResponse {
        let (prior, implied) = try pair(call, rule: "identity:get_implied_role")
        guard identity.directory.state.implications[prior.key]?.contains(implied.key) == true else {
            throw APIError.notFound("\(prior.key) does not imply \(implied.key).")
        }
        return one(prior, implied, call, status: 200)
    }

    private func check(_ call: APICall) async throws -> APIResponse {
        _ = try await show(call)
        return .empty(204)
    }

    private func create(_ call: APICall) async throws -> APIResponse {
        let (prior, implied) = try pair(call, rule: "identity:create_implied_role")
        guard !identity.directory.state.makesAdministrators(roles: [implied.key]) else {
            throw APIError.forbidden("\(implied.key) cannot be an implied roles.")
        }
        guard prior.domain != nil || implied.domain == nil else {
            throw APIError.forbidden("Global role cannot imply a domain-specific role")
        }
        guard identity.directory.state.implications[prior.key]?.contains(implied.key) != true else {
            throw APIError.conflict("Conflict occurred attempting to store implied_role - Duplicate entry.")
        }
        guard !identity.directory.state.expanded([implied.key]).contains(prior.key) else {
            throw APIError.badRequest(
                "\(implied.key) implies \(prior.key) already: roles cannot imply each other in a ring.")
        }
        try await identity.change(call, target: "\(prior.key)/\(implied.key)") { transaction in
            try IdentityStore.imply(implied.key, by: prior.key, in: transaction)
        } apply: {
            $0.imply(implied.key, by: prior.key)
        }
        return one(prior, implied, call, status: 201)
    }

    private func delete(_ call: APICall) async throws -> APIResponse {
        let (prior, implied) = try pair(call, rule: "identity:delete_implied_role")
        guard identity.directory.state.implications[prior.key]?.contains(implied.key) == true else {
            throw APIError.notFound("\(prior.key) does not imply \(implied.key).")
        }
        try await identity.change(call, target: "\(prior.key)/\(implied.key)") { transaction in
            try IdentityStore.removeImplication(of: implied.key, by: prior.key, in: transaction)
        } apply: {
            $0.removeImplication(of: implied.key, by: prior.key)
        }
        return .empty(204)
    }
}
