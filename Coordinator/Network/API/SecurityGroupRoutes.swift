import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/security-groups`.
struct SecurityGroupRoutes: Sendable {
    let service: NetworkService

    static let names = ResourceNames(
        "security_group", "security_groups", path: "/v2.0/security-groups", action: "network.security_group")

    private static let bodies = ResourceBodies<SecurityGroupDraft>(
        "security_group", blank: SecurityGroupDraft(project: .blank),
        shared: [
            .optional("name", \.draft.name, Form.text), .optional("description", \.draft.description, Form.text)
        ], shown: ["security_group_rules", "shared"])

    var routes: [Route] {
        let listing = service.groupListing
        var resource = ResourceRoutes<Listed<SecurityGroupRecord>, SecurityGroupDraft, SecurityGroupDraft>(
            Self.names, listing, view: { ($0.record.id.text, View.group($0, $1)) })
        resource.prepareList = ensureDefault
        resource.draft = Self.bodies.draft
        resource.create = { draft, call, transaction in
            try call.authorize("create_security_group", project: draft.project)
            let id = try service.createGroup(draft, at: call.now, in: transaction)
            return try listing.find(id.text, viewer: call.viewer(), in: transaction)
        }
        resource.change = Self.bodies.change
        resource.update = { item, wanted, call, transaction in
            try call.authorize("update_security_group", project: item.record.project)
            try service.updateGroup(item.record.id, wanted, at: call.now, in: transaction)
            return try listing.find(item.record.id.text, viewer: call.viewer(), in: transaction)
        }
        resource.delete = { item, call, transaction in
            try call.authorize("delete_security_group", project: item.record.project)
            try service.deleteGroup(item.record.id, viewer: call.viewer(), in: transaction)
        }
        return resource.routes
    }

    /// Whoever looks finds the project's default group, as in Neutron; only the first look writes.
    @Sendable private func ensureDefault(_ call: APICall) async throws {
        guard let project = try call.viewer().project else { return }
        let isThere = try await call.database.read { try service.hasDefaultGroup(project, in: $0) }
        guard !isThere else { return }
        _ = try await call.database.write { try service.defaultGroup(of: project, at: call.now, in: $0) }
    }
}
