import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/qos/policies/{id}/bandwidth_limit_rules` and `dscp_marking_rules`, and the same rules by themselves at
/// `/v2.0/qos/alias_bandwidth_limit_rules/{rule}`. A policy has few of them, so lists are filtered in memory.
struct QoSRuleRoutes: Sendable {
    let service: NetworkService

    private typealias Kind = QoSRuleRecord.Kind

    /// What a column holds.
    static let most = Int(Int32.max)

    var routes: [Route] { Kind.allCases.flatMap { ofPolicies($0) + alone($0) } }

    private func ofPolicies(_ kind: Kind) -> [Route] {
        let path = "\(QoSRoutes.names.path)/{id}/\(kind.plural)"
        let action = "network.qos_\(kind.singular)"
        let rule = "policy_\(kind.singular)"
        return [
            Route(.get, path) { try await list(kind, $0) }.asking("get_\(rule)"),
            Route(.post, path, action: "\(action).create") { try await create(kind, $0) }.asking("create_\(rule)"),
            Route(.get, "\(path)/{rule}") { try await show(kind, "policy", $0) }.asking("get_\(rule)"),
            Route(.put, "\(path)/{rule}", action: "\(action).update") { try await update(kind, "policy", $0) }
                .asking("update_\(rule)"),
            Route(.delete, "\(path)/{rule}", action: "\(action).delete") { try await delete(kind, "policy", $0) }
                .asking("delete_\(rule)")
        ]
    }

    private func alone(_ kind: Kind) -> [Route] {
        let path = "/v2.0/qos/alias_\(kind.plural)/{rule}"
        let action = "network.qos_\(kind.singular)"
        let rule = "alias_\(kind.singular)"
        return [
            Route(.get, path) { try await show(kind, "alias", $0) }.asking("get_\(rule)"),
            Route(.put, path, action: "\(action).update") { try await update(kind, "alias", $0) }
                .asking("update_\(rule)"),
            Route(.delete, path, action: "\(action).delete") { try await delete(kind, "alias", $0) }
                .asking("delete_\(rule)")
        ]
    }

    // MARK: Bodies

    /// In the words of neutron-lib's range validator.
    private static let rate = BodyFormat.integer(orText: true).map { number, json throws(BodyFailure) in
        guard number >= 0 else { throw BodyFailure(.sentence("'\(number)' is too small - must be at least '0'"), json) }
        guard number <= most else {
            throw BodyFailure(.sentence("'\(number)' is too large - must be no larger than '\(most)'"), json)
        }
        return number
    }

    private static let codePoint = BodyFormat.integer(orText: true).map { number, json throws(BodyFailure) in
        guard QoSRuleRecord.codePoints.contains(number) else {
            throw BodyFailure(.notOneOf(QoSRuleRecord.codePoints.map { JSON($0) }), json)
        }
        return number
    }

    private static func draft(_ kind: Kind, _ call: APICall, creating: Bool) async throws -> QoSRuleDraft {
        guard let body = try await call.json()[kind.singular] else {
            throw APIError.http("Unable to find '\(kind.singular)' in request body")
        }
        let fields: [BodyField<QoSRuleDraft>]
        switch kind {
        case .bandwidthLimit:
            let limit = BodyField<QoSRuleDraft>.optional("max_kbps", \.maxKbps, rate)
            fields = [
                creating ? limit.asRequired : limit, .optional("max_burst_kbps", \.maxBurstKbps, rate),
                .optional("direction", \.direction, .word())
            ]
        case .dscpMarking:
            let mark = BodyField<QoSRuleDraft>.optional("dscp_mark", \.dscp, codePoint)
            fields = [creating ? mark.asRequired : mark]
        }
        let schema = BodySchema(blank: QoSRuleDraft(), notAllowed: ["id"], tellsUnknownFirst: true, fields)
        return try schema.read(body, wording: Neutron.words(kind.singular, creating: creating))
    }

    // MARK: Calls

    /// The policy of the path, which the caller may see, once the rule lets them.
    private func policy(_ rule: String, _ call: APICall, in reader: any SQLReader) throws -> QoSPolicyRecord {
        let policy = try service.qosListing.record(call.parameter("id"), viewer: call.viewer(), in: reader)
        try call.authorize(rule, project: visibleOwner(policy, rule, call))
        return policy
    }

    /// What is shared can be read as one's own.
    private func visibleOwner(_ policy: QoSPolicyRecord, _ rule: String, _ call: APICall) throws -> ProjectID? {
        rule.hasPrefix("get_") ? try call.viewer().project ?? policy.project : policy.project
    }

    /// The rule of the path, with its policy or by itself.
    private func rule(
        _ kind: Kind, _ verb: String, _ scope: String, _ call: APICall, in reader: any SQLReader
    ) throws -> QoSRuleRecord {
        let name = "\(verb)_\(scope)_\(kind.singular)"
        let id = call.parameter("rule")
        if scope == "policy" { return try service.qosRule(id, kind, of: policy(name, call, in: reader).id, in: reader) }
        let policy = try service.policy(ofRule: id, in: reader)
        guard let seen = try service.qosListing.first(policy.text, viewer: call.viewer(), in: reader) else {
            throw APIError.qosRuleNotFound(id, "None")
        }
        try call.authorize(name, project: visibleOwner(seen, name, call))
        return try service.qosRule(id, kind, of: policy, in: reader)
    }

    private static func answer(_ rule: QoSRuleRecord, status: Int = 200) -> APIResponse {
        .json([rule.kind.singular: .object(View.qosRule(rule))], status: status)
    }

    private func list(_ kind: Kind, _ call: APICall) async throws -> APIResponse {
        let members = Set(View.qosRule(QoSRuleRecord(id: .blank, policy: .blank, kind: kind)).keys)
        let query = try Neutron.list.read(
            call.query, isFilter: members.contains, isFlag: { _ in false }, isSort: members.contains)
        let rules = try await call.database.read { reader in
            let policy = try policy("get_policy_\(kind.singular)", call, in: reader)
            return try service.qos.rules(of: [policy.id], in: reader)[policy.id] ?? []
        }
        let views = rules.filter { $0.kind == kind }.map(View.qosRule).filter { view in
            query.filters.allSatisfy { $0.matches(view[$0.name]) }
        }
        return .json([kind.plural: .array(views.map { Neutron.selected($0, call) })])
    }

    private func show(_ kind: Kind, _ scope: String, _ call: APICall) async throws -> APIResponse {
        Self.answer(try await call.database.read { try rule(kind, "get", scope, call, in: $0) })
    }

    private func create(_ kind: Kind, _ call: APICall) async throws -> APIResponse {
        let draft = try await Self.draft(kind, call, creating: true)
        let made = try await call.write(target: { $0.id.text }) { transaction in
            let policy = try policy("create_policy_\(kind.singular)", call, in: transaction)
            return try service.createQoSRule(kind, draft, of: policy.id, at: call.now, in: transaction)
        }
        return Self.answer(made, status: 201)
    }

    private func update(_ kind: Kind, _ scope: String, _ call: APICall) async throws -> APIResponse {
        let draft = try await Self.draft(kind, call, creating: false)
        let changed = try await call.write(target: { $0.id.text }) { transaction in
            let old = try rule(kind, "update", scope, call, in: transaction)
            return try service.updateQoSRule(old, draft, at: call.now, in: transaction)
        }
        return Self.answer(changed)
    }

    private func delete(_ kind: Kind, _ scope: String, _ call: APICall) async throws -> APIResponse {
        try await call.write(target: { $0 }) { transaction in
            let old = try rule(kind, "delete", scope, call, in: transaction)
            try service.deleteQoSRule(old, at: call.now, in: transaction)
            return old.id.text
        }
        return .empty(204)
    }
}
