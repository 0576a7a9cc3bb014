import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/security-group-rules`.
struct SecurityGroupRuleRoutes: Sendable {
    let service: NetworkService

    static let schema = AttributeSchema(
        resource: "security_group_rule", collection: "security_group_rules",
        post: [
            "security_group_id", "direction", "ethertype", "protocol", "port_range_min", "port_range_max",
            "remote_group_id", "remote_ip_prefix", "remote_address_group_id", "description", "project_id", "tenant_id"
        ], put: ["description"],
        readOnly: [
            "id", "normalized_cidr", "created_at", "updated_at", "revision_number", "belongs_to_default_sg"
        ], required: ["security_group_id", "direction"])

    private var reads: ReadCalls<RuleRecord> {
        ReadCalls(
            table: .rules, schema: Self.schema,
            find: { [service] in try service.list(rules: $0, viewer: $1, in: $2) },
            findOne: { [service] in try service.rule($0, viewer: $1, in: $2) },
            render: { item, _ in (item.id.text, View.rule(item)) })
    }

    var routes: [Route] {
        [
            Route(.get, "/v2.0/security-group-rules", handler: reads.list)
                .gated(by: "get_security_group_rule"),
            Route(.post, "/v2.0/security-group-rules", action: "network.security_group_rule.create", handler: create)
                .asking("create_security_group_rule"),
            Route(.get, "/v2.0/security-group-rules/{id}", handler: reads.show)
                .gated(by: "get_security_group_rule"),
            Route(
                .delete, "/v2.0/security-group-rules/{id}", action: "network.security_group_rule.delete",
                handler: delete
            )
            .asking("delete_security_group_rule")
        ]
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        let (items, isBulk) = try Attributes.oneOrMany(try await call.json(), Self.schema)
        let drafts = try items.map { try draft($0, call) }
        let viewer = Viewer(try call.requireCaller())
        let made = try await call.write(target: { Target.text($0.map(\.id.text)) }) { transaction in
            try drafts.map { draft in
                try call.authorize("create_security_group_rule", project: draft.project)
                let id = try service.createRule(draft, viewer: viewer, at: call.now, in: transaction)
                return try service.rule(id.text, viewer: viewer, in: transaction)
            }
        }
        return Created.answer(made.map { View.rule($0) }, Self.schema, isBulk: isBulk)
    }

    /// Neutron looks groups up by any text: what is no id is not found.
    private static func group(_ name: String, _ attributes: Attributes) throws -> SecurityGroupID? {
        guard let value = attributes.given(name) else { return nil }
        let text = value.stringValue ?? value.text
        guard let id = SecurityGroupID(text) else { throw APIError.groupNotFound(text) }
        return id
    }

    private func draft(_ attributes: Attributes, _ call: APICall) throws -> RuleDraft {
        guard let group = try Self.group("security_group_id", attributes) else {
            throw Attributes.invalid("security_group_id", "'None' is not a valid UUID")
        }
        let word = try attributes.text("direction") ?? ""
        guard let direction = SecurityGroupRuleSpec.Direction(rawValue: word) else {
            throw Attributes.invalid("direction", "'\(word)' is not in ['ingress', 'egress']")
        }
        var draft = RuleDraft(project: try attributes.project(of: call), group: group, direction: direction)
        if let ethertype = attributes.given("ethertype") {
            switch ethertype.stringValue?.lowercased() {
            case "ipv4": draft.family = .ipv4
            case "ipv6": draft.family = .ipv6
            default:
                throw APIError.badRequest(
                    "Security group rule for ethertype '\(ethertype.stringValue ?? ethertype.text)' not supported. "
                        + "Allowed values are ['IPv4', 'IPv6'].", type: "SecurityGroupRuleInvalidEtherType")
            }
        }
        if let text = attributes.given("protocol") {
            draft.protocolText = text.intValue.map(String.init) ?? text.stringValue ?? text.text
        }
        draft.portMin = try attributes.number("port_range_min")
        draft.portMax = try attributes.number("port_range_max")
        draft.remoteGroup = try Self.group("remote_group_id", attributes)
        if attributes.given("remote_ip_prefix") != nil { draft.remotePrefix = try attributes.text("remote_ip_prefix") }
        if attributes.given("remote_address_group_id") != nil {
            throw Attributes.invalid("remote_address_group_id", "address groups are not supported")
        }
        if attributes.given("description") != nil { draft.description = try attributes.text("description") ?? "" }
        return draft
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        let viewer = Viewer(try call.requireCaller())
        try await call.write { transaction in
            let rule = try service.rule(call.parameter("id"), viewer: viewer, in: transaction)
            // Whoever sees the rule owns it or its group.
            try call.authorize(
                "delete_security_group_rule", project: viewer.owns(rule.project) ? rule.project : viewer.project)
            try service.deleteRule(rule.id, at: call.now, in: transaction)
        }
        return .empty(204)
    }
}
