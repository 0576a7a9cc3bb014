import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/rbac-policies`.
struct RBACRoutes: Sendable {
    let service: NetworkService

    static let names = ResourceNames(
        "rbac_policy", "rbac_policies", path: "/v2.0/rbac-policies", action: "network.rbac_policy")

    private static let kind = Form.text.map { text, _ in
        String(text.drop { $0 == " " }.lowercased().reversed().drop { $0 == " " }.reversed())
    }

    private static let target = BodyFormat<RBACTarget>.parsed("target project") { RBACTarget($0) }

    private static let bodies = ResourceBodies<RBACDraft>(
        "rbac_policy",
        blank: RBACDraft(project: .blank, kind: "", object: .blank, action: "", target: .everybody),
        shared: [],
        fixed: [
            .required("object_type", \.draft.kind, kind), .required("object_id", \.draft.object, Form.id()),
            .required("action", \.draft.action, Form.text)
        ], needed: [.given("target_tenant", \.draft.target, target)], shown: [])

    var routes: [Route] {
        let listing = service.rbacListing
        var resource = ResourceRoutes<Listed<RBACRecord>, RBACDraft, RBACDraft>(
            Self.names, listing, view: { item, _ in (item.record.id.text, View.rbac(item.record)) })
        resource.draft = Self.bodies.draft
        resource.create = { draft, call, transaction in
            let viewer = try call.viewer()
            try call.authorize("create_rbac_policy", project: draft.project)
            if draft.target == .everybody { try call.authorize("create_rbac_policy:target_tenant") }
            let id = try service.createRBAC(draft, viewer: viewer, at: call.now, in: transaction)
            return try listing.find(id.text, viewer: viewer, in: transaction)
        }
        resource.change = { json, call in
            let change = try Self.bodies.change(json, call)
            guard json["target_tenant"] != nil else {
                throw APIError.http("Failed to parse request. Required attribute 'target_tenant' not specified")
            }
            return change
        }
        resource.update = { item, wanted, call, transaction in
            let viewer = try call.viewer()
            try call.authorize("update_rbac_policy", project: item.record.project)
            if wanted.target == .everybody { try call.authorize("update_rbac_policy:target_tenant") }
            try service.updateRBAC(
                item.record.id, target: wanted.target, viewer: viewer, at: call.now, in: transaction)
            return try listing.find(item.record.id.text, viewer: viewer, in: transaction)
        }
        resource.delete = { item, call, transaction in
            try call.authorize("delete_rbac_policy", project: item.record.project)
            try service.deleteRBAC(item.record.id, at: call.now, in: transaction)
        }
        return resource.routes
    }
}

extension View {
    static func rbac(_ policy: RBACRecord) -> Members {
        let owner = JSON(policy.project.compact)
        return [
            "id": JSON(policy.id.text), "object_type": JSON(policy.kind.rawValue),
            "object_id": JSON(policy.object.text), "target_tenant": JSON(policy.target.text),
            "action": JSON(policy.action.rawValue), "project_id": owner, "tenant_id": owner
        ]
    }
}

extension Listed {
    /// Whether it is shared with the caller, as everybody sees it for themselves.
    func isShared(with call: APICall) -> Bool {
        targets.contains(.everybody) || call.caller?.project.map { targets.contains(.project($0)) } ?? false
    }
}

/// Who may share what, after Neutron's default policies.
enum RBACPolicy {
    static let rules: [String: Policy.Rule] = [
        "create_rbac_policy": .projectMember, "get_rbac_policy": .projectReader, "update_rbac_policy": .projectMember,
        "delete_rbac_policy": .projectMember,
        // Asked where the target is everybody.
        "create_rbac_policy:target_tenant": .admin, "update_rbac_policy:target_tenant": .admin
    ]
}

/// What the API can do with them, as neutron-lib names it.
extension APIExtension {
    static let sharing = [
        APIExtension(
            "rbac-policies", "RBAC Policies",
            "Allows creation and modification of policies that control project access to resources.",
            "2015-06-17T12:15:12-00:00"),
        APIExtension(
            "rbac-security-groups", "Add security_group type to network RBAC",
            "Add security_group type to network RBAC", "2019-02-14T00:00:00-00:00"),
        APIExtension(
            "rbac-address-scope", "Add address_scope type to RBAC", "Add address_scope type to RBAC",
            "2020-02-12T00:00:00-00:00"),
        APIExtension(
            "rbac-subnetpool", "Add subnetpool type to RBAC", "Add subnetpool type to RBAC",
            "2020-02-05T00:00:00-00:00"),
        APIExtension(
            "rbac-address-group", "Add address_group type to RBAC", "Add address_group type to network RBAC",
            "2021-01-20T00:00:00-00:00")
    ]
}
