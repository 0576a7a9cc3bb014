import CoordinatorPlatform
import ProtocolModel

/// Roles that imply roles.
struct RoleRoutes: Sendable {
    let identity: IdentityService

    var all: [Route] {
        [
            Route(.get, "/v3/role_inferences", handler: listAll).gated(by: "identity:list_role_inference_rules"),
            Route(.get, "/v3/roles/{prior}/implies", handler: list).gated(by: "identity:list_implied_roles"),
            Route(.get, "/v3/roles/{prior}/implies/{implied}", handler: show).gated(by: "identity:get_implied_role"),
            Route(.head, "/v3/roles/{prior}/implies/{implied}", handler: check).gated(by: "identity:get_implied_role"),
            Route(.put, "/v3/roles/{prior}/implies/{implied}", action: "identity.role.imply", handler: create).gated(
                by:
                    "identity:create_implied_role"),
            Route(.delete, "/v3/roles/{prior}/implies/{implied}", action: "identity.role.unimply", handler: delete)
                .gated(by: "identity:delete_implied_role")
        ]
    }

    private static func role(_ key: String, _ state: IdentityState) throws(APIError) -> Role {
        guard let role = state.roles[key] else { throw IdentityAPI.notFound("role", key) }
        return role
    }

    private func summary(_ role: Role, _ call: APICall) -> JSON {
        let link: JSON = ["self": .string(Keystone.link(call, "roles/\(role.key)"))]
        return ["id": .string(role.key), "name": .string(role.name), "links": link]
    }

    private func inference(_ prior: Role, _ call: APICall) -> [String: JSON] {
        let state = identity.directory.state
        let implied = (state.implications[prior.key] ?? []).compactMap { state.roles[$0] }.sorted { $0.name < $1.name }
        return ["prior_role": summary(prior, call), "implies": .array(implied.map { summary($0, call) })]
    }

    private func listAll(_ call: APICall) async throws -> APIResponse {
        let state = identity.directory.state
        let priors = state.implications.filter { !$0.value.isEmpty }.keys.compactMap { state.roles[$0] }
        let list = priors.sorted { $0.name < $1.name }.map { JSON.object(inference($0, call)) }
        return .json(["role_inferences": .array(list)])
    }

    private func list(_ call: APICall) async throws -> APIResponse {
        let prior = try Self.role(call.parameter("prior"), identity.directory.state)
        return .json([
            "role_inference": .object(inference(prior, call)),
            "links": ["self": .string(Keystone.link(call, "roles/\(prior.key)/implies"))]
        ])
    }

    private static func pair(_ call: APICall, _ state: IdentityState) throws(APIError) -> (prior: Role, implied: Role) {
        (try role(call.parameter("prior"), state), try role(call.parameter("implied"), state))
    }

    private static func require(_ implied: Role, by prior: Role, _ state: IdentityState) throws(APIError) {
        guard state.implications[prior.key]?.contains(implied.key) == true else {
            throw .notFound("\(prior.key) does not imply \(implied.key).")
        }
    }

    private func one(_ prior: Role, _ implied: Role, _ call: APICall, status: Int) -> APIResponse {
        let inference: JSON = ["prior_role": summary(prior, call), "implies": summary(implied, call)]
        let link = Keystone.link(call, "roles/\(prior.key)/implies/\(implied.key)")
        return .json(["role_inference": inference, "links": ["self": .string(link)]], status: status)
    }

    private func show(_ call: APICall) async throws -> APIResponse {
        let state = identity.directory.state
        let (prior, implied) = try Self.pair(call, state)
        try Self.require(implied, by: prior, state)
        return one(prior, implied, call, status: 200)
    }

    private func check(_ call: APICall) async throws -> APIResponse {
        _ = try await show(call)
        return .empty(204)
    }

    private func create(_ call: APICall) async throws -> APIResponse {
        _ = try Self.pair(call, identity.directory.state)
        let (prior, implied) = try await call.change(
            identity, target: { (pair: (prior: Role, implied: Role)) in "\(pair.prior.key)/\(pair.implied.key)" },
            { edit in
                let pair = try Self.pair(call, edit.state)
                try Self.check(pair.implied, by: pair.prior, edit.state)
                try edit.imply(pair.implied.key, by: pair.prior.key)
                return pair
            })
        return one(prior, implied, call, status: 201)
    }

    private static func check(_ implied: Role, by prior: Role, _ state: IdentityState) throws(APIError) {
        guard !state.makesAdministrators(roles: [implied.key]) else {
            throw .forbidden("\(implied.key) cannot be an implied roles.")
        }
        guard prior.domain != nil || implied.domain == nil else {
            throw .forbidden("Global role cannot imply a domain-specific role")
        }
        guard state.implications[prior.key]?.contains(implied.key) != true else {
            throw Keystone.duplicate("implied_role - Duplicate entry")
        }
        guard !state.expanded([implied.key]).contains(prior.key) else {
            throw .badRequest("\(implied.key) implies \(prior.key) already: roles cannot imply each other in a ring.")
        }
    }

    private func delete(_ call: APICall) async throws -> APIResponse {
        try await call.change(
            identity,
            { state in
                let (prior, implied) = try Self.pair(call, state)
                try Self.require(implied, by: prior, state)
                return (prior: prior.key, implied: implied.key)
            }, target: { "\($0.prior)/\($0.implied)" }, { try $1.removeImplication(of: $0.implied, by: $0.prior) })
    }
}
