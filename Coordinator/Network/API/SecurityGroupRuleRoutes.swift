import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/security-group-rules`.
struct SecurityGroupRuleRoutes: Sendable {
    let service: NetworkService

    static let names = ResourceNames(
        "security_group_rule", "security_group_rules", path: "/v2.0/security-group-rules",
        action: "network.security_group_rule")

    /// Neutron looks groups up by any text: what is no id is not found.
    private static let group: BodyFormat<SecurityGroupID> = Form.id("security group")

    private static let direction = BodyFormat<SecurityGroupRuleSpec.Direction> { json throws(BodyFailure) in
        let word = try Form.text.read(json)
        guard let direction = SecurityGroupRuleSpec.Direction(rawValue: word) else {
            throw BodyFailure(.notOneOf(["ingress", "egress"]), json)
        }
        return direction
    }

    private static let ethertype = BodyFormat<IPAddress.Family>.parsed("ethertype") { text in
        switch text.lowercased() {
        case "ipv4": .ipv4
        case "ipv6": .ipv6
        default: nil
        }
    }

    /// A name, or a number as such or as text.
    private static let protocolText = BodyFormat<String> { json in
        json.intValue.map(String.init) ?? json.stringValue ?? json.text
    }

    private static let bodies = ResourceBodies<RuleDraft>(
        "security_group_rule", blank: RuleDraft(project: .blank, group: .blank, direction: .ingress), shared: [],
        fixed: [
            .required("security_group_id", \.draft.group, group), .required("direction", \.draft.direction, direction),
            .given("ethertype", \.draft.family, ethertype.orNull(.ipv4)),
            .given("protocol", \.draft.protocolText, protocolText.nullable),
            .given("port_range_min", \.draft.portMin, Form.number),
            .given("port_range_max", \.draft.portMax, Form.number),
            .given("remote_group_id", \.draft.remoteGroup, group.nullable),
            .given("remote_ip_prefix", \.draft.remotePrefix, Form.text.nullable),
            .given("remote_address_group_id", \.draft.remoteAddresses, Form.id("address group").nullable),
            .given("description", \.draft.description, Form.text.orNull(""))
        ], shown: ["normalized_cidr", "belongs_to_default_sg"])

    var routes: [Route] {
        let listing = service.ruleListing
        var resource = ResourceRoutes<Listed<RuleRecord>, RuleDraft, Never>(
            Self.names, listing, view: { item, _ in (item.record.id.text, View.rule(item.record)) })
        resource.draft = Self.bodies.draft
        resource.create = { draft, call, transaction in
            let viewer = try call.viewer()
            // The group's owner alone says what it lets through, whoever else may use it.
            let group = try service.groupListing.record(draft.group.text, viewer: viewer, in: transaction)
            try call.authorize("create_security_group_rule", project: group.project)
            let id = try service.createRule(draft, viewer: viewer, at: call.now, in: transaction)
            return try listing.find(id.text, viewer: viewer, in: transaction)
        }
        resource.delete = { item, call, transaction in
            // Whoever sees the rule owns it or its group.
            let group = try service.owner(ofGroup: item.record.group, in: transaction)
            try call.authorize(
                "delete_security_group_rule", project: call.viewer().project(among: item.record.project, group))
            try service.deleteRule(item.record.id, at: call.now, in: transaction)
        }
        return resource.routes
    }
}
