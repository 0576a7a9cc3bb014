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

    /// `access_rules` of a new application credential: one that the user has already, by its id or by what it says, is
    /// taken again.
    /// - Throws: ``APIError`` 400, 404 for an id that is not one of the user's.
    static func read(
        _ fields: Fields, for user: UserID, _ state: IdentityState, userLimit: Int
    ) throws(APIError) -> [AccessRuleRecord] {
        guard let list = try fields.optionalArray("access_rules") else { return [] }
        guard list.count <= limit else {
            throw .badRequest("An application credential has at most \(limit) access rules.")
        }
        var known = state.delegations.accessRules(of: user)
        var found: [AccessRuleRecord] = []
        for item in list {
            guard case .object(let members) = item else { throw fields.wrongType("access_rules", item, "object") }
            let given = Fields(members, path: ["access_rules"])
            let rule: AccessRuleRecord
            if let id = try given.optionalString("id", length: 1...64) {
                guard let own = known.first(where: { $0.key == id }) else {
                    throw IdentityAPI.notFound("Access Rule", id)
                }
                rule = own
            } else {
                let said = try read(given)
                rule =
                    known.first { $0.rule == said }
                    ?? AccessRuleRecord(key: IdentityService.newKey(), user: user, rule: said)
            }
            if !known.contains(where: { $0.key == rule.key }) { known.append(rule) }
            if !found.contains(where: { $0.key == rule.key }) { found.append(rule) }
        }
        // They stay when the application credential goes, so without a bound they would only grow.
        guard known.count <= userLimit else {
            throw .forbidden(
                "Unable to create additional access rules, maximum of \(userLimit) already exceeded for user.")
        }
        return found
    }

    private static func read(_ fields: Fields) throws(APIError) -> AccessRules.Rule {
        let path = try fields.string("path", length: 0...225)
        guard path.hasPrefix("/") else {
            throw fields.invalid("path", .string(path), "\(JSON.string(path).pythonQuoted) does not match '^/\\\\.*'")
        }
        guard let method = try fields.optionalChoice("method", of: methods) else { throw fields.missing("method") }
        return AccessRules.Rule(
            service: try fields.string("service", length: 1...64), method: method, path: path)
    }

    private func render(_ rule: AccessRuleRecord, _ call: APICall) -> JSON {
        Rendering.single(rule.rendered, "users/\(rule.user.compact)/access_rules/\(rule.key)", call)
    }

    private func list(_ call: APICall) async throws -> APIResponse {
        let user = try call.user(identity, rule: "identity:list_access_rules")
        try ApplicationCredentialRoutes.refuseDelegated(call, identity)
        let filters = try ListFilter.parse(call.query, names: ["service", "path", "method"])
        let rules = identity.directory.state.delegations.accessRules(of: user.id)
            .filter { rule in filters.allSatisfy { $0.matches(rule.rendered) } }
        return Rendering.collection("access_rules", rules.map { render($0, call) }, call)
    }

    private func rule(_ call: APICall, policy: String) throws -> AccessRuleRecord {
        let user = try call.user(identity, rule: policy)
        try ApplicationCredentialRoutes.refuseDelegated(call, identity)
        let key = call.parameter("rule")
        guard let rule = identity.directory.state.delegations.accessRules[key], rule.user == user.id else {
            throw IdentityAPI.notFound("Access Rule", key)
        }
        return rule
    }

    private func show(_ call: APICall) async throws -> APIResponse {
        .json(["access_rule": render(try rule(call, policy: "identity:get_access_rule"), call)])
    }

    private func delete(_ call: APICall) async throws -> APIResponse {
        let rule = try rule(call, policy: "identity:delete_access_rule")
        guard !identity.directory.state.delegations.isInUse(accessRule: rule.key, of: rule.user) else {
            throw APIError.forbidden("May not delete access rule in use")
        }
        try await identity.delete(rule, call) { state in state.changeDelegations { $0.remove(rule) } }
        return .empty(204)
    }
}
