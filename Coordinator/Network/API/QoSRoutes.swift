import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/qos/policies`.
struct QoSRoutes: Sendable {
    let service: NetworkService

    static let names = ResourceNames("policy", "policies", path: "/v2.0/qos/policies", action: "network.qos_policy")
    /// Where their tags are.
    static let taggedNames = ResourceNames(
        "policy", "policies", path: "/v2.0/policies", action: "network.qos_policy")

    private static let bodies = ResourceBodies<QoSPolicyDraft>(
        "policy", blank: QoSPolicyDraft(project: .blank),
        shared: [
            .optional("name", \.draft.name, Form.text), .optional("description", \.draft.description, Form.text),
            .optional("shared", \.draft.isShared, Form.flag), .optional("is_default", \.draft.isDefault, Form.flag)
        ], shown: ["rules"])

    var routes: [Route] {
        let listing = service.qosListing
        var resource = ResourceRoutes<Listed<QoSPolicyRecord>, QoSPolicyDraft, QoSPolicyDraft>(
            Self.names, listing, view: { ($0.record.id.text, View.qosPolicy($0, $1)) })
        resource.draft = Self.bodies.draft
        resource.create = { draft, call, transaction in
            try call.authorize("create_policy", project: draft.project)
            let id = try service.createQoSPolicy(draft, at: call.now, in: transaction)
            return try listing.find(id.text, viewer: call.viewer(), in: transaction)
        }
        resource.change = Self.bodies.change
        resource.update = { item, wanted, call, transaction in
            try call.authorize("update_policy", project: item.record.project)
            try service.updateQoSPolicy(item.record.id, wanted, at: call.now, in: transaction)
            return try listing.find(item.record.id.text, viewer: call.viewer(), in: transaction)
        }
        resource.delete = { item, call, transaction in
            try call.authorize("delete_policy", project: item.record.project)
            try service.deleteQoSPolicy(item.record.id, in: transaction)
        }
        return resource.routes + QoSRuleRoutes(service: service).routes + QoSRuleTypes().routes
    }
}

extension View {
    static func qosPolicy(_ item: Listed<QoSPolicyRecord>, _ call: APICall) -> Members {
        let policy = item.record
        var view = standard(policy.standard, policy.project, item.tags)
        view["id"] = JSON(policy.id.text)
        view["shared"] = JSON(item.isShared(with: call))
        view["is_default"] = JSON(policy.isDefault)
        view["rules"] = .array(
            policy.rules.map { rule in
                let more: Members = ["type": JSON(rule.kind.rawValue), "qos_policy_id": JSON(policy.id.text)]
                return .object(qosRule(rule).merging(more) { $1 })
            })
        return view
    }

    static func qosRule(_ rule: QoSRuleRecord) -> Members {
        switch rule.kind {
        case .bandwidthLimit:
            [
                "id": JSON(rule.id.text), "max_kbps": JSON(rule.maxKbps), "max_burst_kbps": JSON(rule.maxBurstKbps),
                "direction": JSON(rule.direction.rawValue)
            ]
        case .dscpMarking: ["id": JSON(rule.id.text), "dscp_mark": JSON(rule.dscp)]
        }
    }
}

/// `/v2.0/qos/rule-types`: what hosts can do, and with which values.
struct QoSRuleTypes: Sendable {
    var routes: [Route] {
        [
            Route(.get, "/v2.0/qos/rule-types", handler: list).asking("get_rule_type"),
            Route(.get, "/v2.0/qos/rule-types/{type}", handler: show).asking("get_rule_type")
        ]
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        try call.authorize("get_rule_type", project: call.viewer().project)
        let query = try Neutron.list.read(
            call.query, isFilter: { $0 == "type" }, isFlag: { _ in false }, isSort: { $0 == "type" })
        let types = QoSRuleRecord.Kind.allCases.map { JSON($0.rawValue) }.filter { type in
            query.filters.allSatisfy { $0.matches(type) }
        }
        return .json(["rule_types": .array(types.map { ["type": $0] })])
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        try call.authorize("get_rule_type", project: call.viewer().project)
        let name = call.parameter("type")
        guard let kind = QoSRuleRecord.Kind(rawValue: name) else {
            throw APIError.notFound(
                "Rule type \(name) is not supported.", type: "QosRuleTypeNotFound")
        }
        let driver: JSON = ["name": "skerry", "supported_parameters": .array(Self.parameters(kind))]
        return .json(["rule_type": ["type": JSON(name), "drivers": [driver]]])
    }

    private static func parameters(_ kind: QoSRuleRecord.Kind) -> [JSON] {
        let range: JSON = ["start": 0, "end": JSON(QoSRuleRoutes.most)]
        func parameter(_ name: String, _ type: String, _ values: JSON) -> JSON {
            ["parameter_name": JSON(name), "parameter_type": JSON(type), "parameter_values": values]
        }
        return switch kind {
        case .bandwidthLimit:
            [
                parameter("max_kbps", "range", range), parameter("max_burst_kbps", "range", range),
                parameter(
                    "direction", "choices", .array(QoSRuleRecord.Direction.allCases.map { JSON($0.rawValue) }))
            ]
        case .dscpMarking:
            [parameter("dscp_mark", "choices", .array(QoSRuleRecord.codePoints.map { JSON($0) }))]
        }
    }
}

/// Who may do what with policies, after Neutron's default policies.
enum QoSPolicyRules {
    static let rules: [String: Policy.Rule] = {
        var rules: [String: Policy.Rule] = [
            "get_policy": .projectReader, "create_policy": .admin, "update_policy": .admin, "delete_policy": .admin,
            "get_rule_type": .projectReader
        ]
        for kind in QoSRuleRecord.Kind.allCases {
            for scope in ["policy", "alias"] {
                rules["get_\(scope)_\(kind.singular)"] = .projectReader
                rules["update_\(scope)_\(kind.singular)"] = .admin
                rules["delete_\(scope)_\(kind.singular)"] = .admin
            }
            rules["create_policy_\(kind.singular)"] = .admin
        }
        return rules
    }()
}

extension APIExtension {
    static let dhcpOptions = [
        APIExtension(
            "extra_dhcp_opt", "Neutron Extra DHCP options",
            "Extra options configuration for DHCP. For example PXE boot options to DHCP clients can be specified (e.g. "
                + "tftp-server, server-ip-address, bootfile-name)", "2013-03-17T12:00:00-00:00")
    ]
}

/// What the API can do with them, as neutron-lib names it. Neither bandwidth nor packets can be guaranteed, nor packets be
/// counted, nor floating IPs be limited: none of that is announced, and there are no such rules.
extension APIExtension {
    static let qos = [
        APIExtension(
            "qos", "Quality of Service", "The Quality of Service extension.", "2015-06-08T10:00:00-00:00"),
        APIExtension(
            "qos-bw-limit-direction", "Direction for QoS bandwidth limit rule",
            "Allow to configure QoS bandwidth limit rule with specific direction: ingress or egress",
            "2017-04-10T10:00:00-00:00"),
        APIExtension(
            "qos-default", "QoS default policy", "Expose the QoS default policy per project",
            "2017-04-06T10:00:00-00:00"),
        APIExtension(
            "qos-port-network-policy", "QoS Network Policy extension", "Allow to retrieve network QoS policy from port",
            "2020-01-30T00:00:00-00:00"),
        APIExtension(
            "qos-rule-type-details", "Details of QoS rule types",
            "Expose details about QoS rule types supported by loaded backend drivers", "2017-06-22T10:00:00-00:00"),
        APIExtension(
            "qos-rules-alias", "Alias endpoints for 'Quality of Service' rules",
            "API to enable GET, PUT and DELETE operations on QoS policy rules without specifying policy ID",
            "2018-10-07T10:00:00-00:00")
    ]
}
