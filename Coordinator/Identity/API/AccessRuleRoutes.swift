import CoordinatorPlatform
import ProtocolModel

extension AccessRuleRecord {
    var rendered: [String: JSON] {
        [
            "id": .string(key), "service": .string(rule.service), "path": .string(rule.path),
            "method": .string(rule.method)
        ]
    }
}

/// `/v3/users/{key}/access_rules`: they are made along with application credentials.
struct AccessRuleRoutes: Sendable {
    let identity: IdentityService

    private static let path = "/v3/users/{key}/access_rules"

    var all: [Route] {
        [
            Route(.get, Self.path, handler: list).asking("identity:list_access_rules"),
            Route(.get, "\(Self.path)/{rule}", handler: show).asking("identity:get_access_rule"),
            Route(.delete, "\(Self.path)/{rule}", action: "identity.access_rule.delete", handler: delete).asking(
                "identity:delete_access_rule")
        ]
    }

    private static let methods = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"]
    /// Rules of one application credential.
    private static let limit = 256

    /// A rule that the user has already, by its id, or what one says.
    struct Draft: Sendable {
        var id: String?
        var rule = AccessRules.Rule(service: "", method: "", path: "")
    }

    private static let known = BodySchema<Draft>(
        blank: Draft(), unknown: .ignored, [.optional("id", \.id, .text(1...64))])
    private static let new = BodySchema<Draft>(
        blank: Draft(), unknown: .ignored,
        [
            .required("path", \.rule.path, .text(0...225, TextRule(.pattern("^/\\\\.*")) { $0.hasPrefix("/") })),
            .required("method", \.rule.method, .word(of: methods)),
            .required("service", \.rule.service, .text(1...64))
        ])

    /// `access_rules` of a new application credential.
    static let list = BodyFormat<[Draft]>.list(
        of: BodyFormat { json throws(BodyFailure) in
            try (json["id"] == nil ? new : known).read(json, Microversion(0, 0))
        }, most: limit)

    /// One that the user has already, by its id or by what it says, is taken again.
    /// - Throws: ``APIError`` 403 for too many, 404 for an id that is not one of the user's.
    static func resolve(
        _ drafts: [Draft], for user: UserID, _ state: IdentityState, userLimit: Int
    ) throws(APIError) -> [AccessRuleRecord] {
        var known = state.delegations.accessRules(of: user)
        var found: [AccessRuleRecord] = []
        for draft in drafts {
            let old = known.first { rule in draft.id.map { $0 == rule.key } ?? (rule.rule == draft.rule) }
            if let id = draft.id, old == nil { throw IdentityAPI.notFound("Access Rule", id) }
            let rule = old ?? AccessRuleRecord(key: IdentityService.newKey(), user: user, rule: draft.rule)
            if old == nil { known.append(rule) }
            if !found.contains(where: { $0.key == rule.key }) { found.append(rule) }
        }
        // They stay when the application credential goes, so without a bound they would only grow.
        guard known.count <= userLimit else {
            throw .forbidden(
                "Unable to create additional access rules, maximum of \(userLimit) already exceeded for user.")
        }
        return found
    }

    private func render(_ rule: AccessRuleRecord, _ call: APICall) -> JSON {
        Keystone.single(rule.rendered, "users/\(rule.user.compact)/access_rules/\(rule.key)", call)
    }

    private func list(_ call: APICall) async throws -> APIResponse {
        let user = try call.user(identity, rule: "identity:list_access_rules")
        try ApplicationCredentialRoutes.refuseDelegated(call, identity)
        let isWanted = try Keystone.filter(call, by: ["service", "path", "method"])
        let rules = identity.directory.state.delegations.accessRules(of: user.id).filter { isWanted($0.rendered) }
        return Keystone.collection("access_rules", rules.map { render($0, call) }, call)
    }

    private func rule(_ call: APICall, _ state: IdentityState, policy: String) throws -> AccessRuleRecord {
        let user = try call.user(identity, rule: policy)
        try ApplicationCredentialRoutes.refuseDelegated(call, identity)
        let key = call.parameter("rule")
        guard let rule = state.delegations.accessRules[key], rule.user == user.id else {
            throw IdentityAPI.notFound("Access Rule", key)
        }
        return rule
    }

    private func show(_ call: APICall) async throws -> APIResponse {
        let rule = try rule(call, identity.directory.state, policy: "identity:get_access_rule")
        return .json(["access_rule": render(rule, call)])
    }

    private func delete(_ call: APICall) async throws -> APIResponse {
        try await call.delete(
            identity,
            unless: { rule, state in
                guard !state.delegations.isInUse(accessRule: rule.key, of: rule.user) else {
                    throw APIError.forbidden("May not delete access rule in use")
                }
            }, { try rule(call, $0, policy: "identity:delete_access_rule") })
    }
}
