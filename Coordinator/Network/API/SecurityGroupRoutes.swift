import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/security-groups`.
struct SecurityGroupRoutes: Sendable {
    let service: NetworkService

    static let schema = AttributeSchema(
        resource: "security_group", collection: "security_groups",
        post: ["name", "description", "project_id", "tenant_id"], put: ["name", "description"],
        readOnly: ["id", "security_group_rules", "created_at", "updated_at", "revision_number", "tags", "shared"],
        required: [])

    private var reads: ReadCalls<GroupListing> {
        ReadCalls(
            table: .groups, schema: Self.schema,
            find: { [service] in try service.list(groups: $0, viewer: $1, in: $2) },
            findOne: { [service] in try service.group($0, viewer: $1, in: $2) },
            render: { item, _ in (item.group.id.text, Self.view(item)) })
    }

    var routes: [Route] {
        [
            Route(.get, "/v2.0/security-groups", handler: list)
                .gated(by: "get_security_group"),
            Route(.post, "/v2.0/security-groups", action: "network.security_group.create", handler: create)
                .asking("create_security_group"),
            Route(.get, "/v2.0/security-groups/{id}", handler: reads.show)
                .gated(by: "get_security_group"),
            Route(.put, "/v2.0/security-groups/{id}", action: "network.security_group.update", handler: update)
                .asking("update_security_group"),
            Route(.delete, "/v2.0/security-groups/{id}", action: "network.security_group.delete", handler: delete)
                .asking("delete_security_group")
        ]
    }

    private static func view(_ listing: GroupListing) -> View.Members {
        View.group(listing.group, rules: listing.rules, tags: listing.tags)
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        let viewer = Viewer(try call.requireCaller())
        // A refused call writes nothing.
        _ = try ListParameters(call, .groups)
        try await ensureDefault(viewer, call)
        return try await reads.list(call)
    }

    /// Whoever looks finds the project's default group, as in Neutron; only the first look writes.
    private func ensureDefault(_ viewer: Viewer, _ call: APICall) async throws {
        guard let project = viewer.project else { return }
        let isThere = try await call.database.read { try service.groups.defaultGroup(of: project, in: $0) != nil }
        guard !isThere else { return }
        _ = try await call.database.write { try service.defaultGroup(of: project, at: call.now, in: $0) }
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        let (items, isBulk) = try Attributes.oneOrMany(try await call.json(), Self.schema)
        let drafts = try items.map { item in
            (
                project: try item.project(of: call), name: try item.text("name") ?? "",
                description: try item.text("description") ?? ""
            )
        }
        let made = try await call.write(target: { Target.text($0.map(\.group.id.text)) }) { transaction in
            let ids = try drafts.map { draft in
                try call.authorize("create_security_group", project: draft.project)
                return try service.createGroup(
                    project: draft.project, name: draft.name, description: draft.description, at: call.now,
                    in: transaction)
            }
            return try service.groups(ids, in: transaction)
        }
        return Created.answer(made.map(Self.view), Self.schema, isBulk: isBulk)
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        let attributes = try Attributes.one(try await call.json(), Self.schema, creating: false)
        let viewer = Viewer(try call.requireCaller())
        let name = try attributes.text("name")
        let description = try attributes.text("description")
        let updated = try await call.write { transaction in
            let group = try service.group(call.parameter("id"), viewer: viewer, in: transaction).group
            try call.authorize("update_security_group", project: group.project)
            try service.updateGroup(group.id, name: name, description: description, at: call.now, in: transaction)
            return try service.group(group.id.text, viewer: viewer, in: transaction)
        }
        return .json(["security_group": .object(Self.view(updated))])
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        let viewer = Viewer(try call.requireCaller())
        try await call.write { transaction in
            let group = try service.group(call.parameter("id"), viewer: viewer, in: transaction).group
            try call.authorize("delete_security_group", project: group.project)
            try service.deleteGroup(group.id, viewer: viewer, in: transaction)
        }
        return .empty(204)
    }
}
