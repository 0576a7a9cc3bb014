import CoordinatorPlatform
import ProtocolModel

/// `/v3/projects`: trees of projects, and the projects that act as domains, which are the domains seen from here. Also
/// the removal of both.
struct ProjectRoutes: Sendable {
    let identity: IdentityService
    private let kind = IdentityKinds.projects
    private let domains = IdentityKinds.domains

    init(identity: IdentityService) { self.identity = identity }

    private var projects: ResourceRoutes<Project, IdentityKind<Project>.Draft, IdentityKind<Project>.Draft> {
        kind.resource(identity)
    }

    var all: [Route] {
        var plain = domains.resource(identity)
        plain.delete = nil
        let member = "\(kind.names.path)/{id}"
        return plain.routes + [
            Route(
                .delete, "\(domains.names.path)/{id}", action: "identity.domain.delete", handler: deleteDomain
            ).asking("identity:delete_domain"),
            Route(.get, kind.names.path, handler: list).asking("identity:list_projects", "identity:get_project"),
            Route(.post, kind.names.path, action: "identity.project.create", handler: create).asking(
                "identity:create_project"),
            Route(.get, member, handler: show).asking("identity:get_project"),
            Route(.patch, member, action: "identity.project.update", handler: update).asking(
                "identity:update_project"),
            Route(.delete, member, action: "identity.project.delete", handler: delete).asking(
                "identity:delete_project")
        ]
    }

    /// A flag in the query: there and not `0`.
    static func flag(_ call: APICall, _ name: String) -> Bool { call.query(name).map { $0 != "0" } ?? false }

    private static func isCascade(_ call: APICall) -> Bool { call.query("cascade").map(Keystone.flag) ?? false }

    private func linked(_ domain: Domain, _ call: APICall) -> [String: JSON] {
        Keystone.linked(domain.renderedAsProject, "projects/\(domain.key)", call)
    }

    /// The domain that the path names, asked for by the rules of projects. It stands in no domain itself, so its own
    /// people, who may look at it under `/v3/domains`, neither see nor change it here.
    private func domain(_ call: APICall, _ rule: String, _ state: IdentityState) throws -> Domain? {
        guard let domain = state.domains[call.parameter("id")] else { return nil }
        try call.authorize(rule)
        return domain
    }

    // MARK: - Looking

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        guard let flag = call.query("is_domain"), Keystone.flag(flag) else {
            return try await projects.answerList(call)
        }
        let scope = call.scopeDomain
        try call.authorize(kind.rule(.list), domain: scope)
        let tags = TagFilter(call.query)
        // With a domain's token one sees what stands in the domain, and these stand in none.
        let candidates = scope == nil ? Array(identity.directory.state.domains.values) : []
        let shown = candidates.filter { call.isAllowed(kind.rule(.get)) && tags.matches($0.tags) }
        return try Keystone.list.answer(
            shown.map { ($0.key, linked($0, call)) }, "projects", filters: kind.filters, flags: Keystone.flags, call)
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let state = identity.directory.state
        if let domain = try domain(call, kind.rule(.get), state) {
            var members = linked(domain, call)
            let below = state.projects.values.filter { $0.domain == domain.key }
            if Self.flag(call, "parents_as_ids") { members["parents"] = nil as JSON }
            if Self.flag(call, "subtree_as_ids") {
                members["subtree"] = ProjectTree.ids(below: nil, of: Array(below))
            }
            return .json(["project": .object(members)])
        }
        let project = try kind.record(call.parameter("id"), call, kind.rule(.get), state)
        var members = kind.linked(project, call)
        try expand(&members, project, call, state)
        return .json(["project": .object(members)])
    }

    private func expand(
        _ members: inout [String: JSON], _ project: Project, _ call: APICall, _ state: IdentityState
    ) throws {
        for name in ["parents", "subtree"] where Self.flag(call, "\(name)_as_list") && Self.flag(call, "\(name)_as_ids")
        {
            throw APIError.badRequest(
                "Cannot use \(name)_as_list and \(name)_as_ids query params at the same time.")
        }
        let mine = Set(AssignmentRoutes.projects(of: try call.requireCaller().user, state).map(\.id))
        let withLimits = Self.flag(call, "include_limits")
        if Self.flag(call, "parents_as_list") {
            let above = state.ancestors(of: project).filter { mine.contains($0.id) }
            members["parents"] = .array(above.map { wrapped($0, call, state, withLimits) })
        } else if Self.flag(call, "parents_as_ids") {
            members["parents"] = ProjectTree.ids(above: project, state)
        }
        if Self.flag(call, "subtree_as_list") {
            let below = state.descendants(of: project.id).filter { mine.contains($0.id) }
            members["subtree"] = .array(below.map { wrapped($0, call, state, withLimits) })
        } else if Self.flag(call, "subtree_as_ids") {
            members["subtree"] = ProjectTree.ids(below: project.id, of: state.descendants(of: project.id))
        }
    }

    private func wrapped(_ project: Project, _ call: APICall, _ state: IdentityState, _ withLimits: Bool) -> JSON {
        var members = kind.linked(project, call)
        if withLimits {
            let limits = state.resources.limits
            let own = limits.limits.values.filter { $0.owner == .project(project.id) }.sorted { $0.key < $1.key }
            members["limits"] = .array(own.map { .object($0.rendered(limits.registered[$0.registered])) })
        }
        return ["project": .object(members)]
    }

    // MARK: - Changes

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        let members = try await Keystone.read(IdentityKinds.members, "project", call)
        guard members["is_domain"] == true else { return try await projects.answerCreate(call) }
        try call.authorize(kind.rule(.create))
        guard [members["parent_id"], members["domain_id"]].allSatisfy({ $0?.isNull ?? true }) else {
            throw APIError.badRequest("only root projects are allowed to act as domains.")
        }
        let json = JSON.object(members.filter { $0.key != "explicit_domain_id" })
        let domain = try await call.change(identity, target: { $0.key }) { edit in
            try domains.stored(json, over: nil, called: "project", call, in: &edit)
        }
        return .json(["project": .object(linked(domain, call))], status: 201)
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        let rule = kind.rule(.update)
        let state = identity.directory.state
        guard let domain = try domain(call, rule, state) else {
            let project = try kind.record(call.parameter("id"), call, rule, state)
            return try await update(project, call)
        }
        let members = try await Keystone.read(IdentityKinds.members, "project", call)
        if let id = members["id"], !id.isNull, id != .string(domain.key) {
            throw APIError.badRequest("Cannot change ID")
        }
        if let given = members["domain_id"], !given.isNull { throw APIError.badRequest("Cannot change Domain ID") }
        if let given = members["parent_id"], !given.isNull {
            throw APIError.forbidden("Update of `parent_id` is not allowed.")
        }
        if members["is_domain"] == false { throw APIError.badRequest("Update of `is_domain` is not allowed.") }
        let stored = try await call.change(identity, target: { $0.key }) { edit in
            guard let old = try self.domain(call, rule, edit.state) else { throw StoreError.stale(domain.key) }
            return try domains.stored(.object(members), over: old, called: "project", call, in: &edit)
        }
        return .json(["project": .object(linked(stored, call))])
    }

    /// A change of `enabled` may take along the projects below.
    private func update(_ known: Project, _ call: APICall) async throws -> APIResponse {
        let members = try await Keystone.read(IdentityKinds.members, "project", call)
        let draft = try await kind.draft(.object(members), known, call, identity)
        let stored = try await call.change(identity, target: { $0.key }) { edit in
            let old = try kind.record(known.key, call, kind.rule(.update), edit.state)
            let children = try Self.switched(below: old, members, isCascade: Self.isCascade(call), edit.state)
            let stored = try kind.update(old, draft, call, in: &edit)
            for child in children { try edit.update(child) }
            return stored
        }
        return .json(["project": kind.rendered(stored, call)])
    }

    /// - Returns: The projects below as a change of `enabled` that takes them along leaves them.
    private static func switched(
        below project: Project, _ members: [String: JSON], isCascade: Bool, _ state: IdentityState
    ) throws(APIError) -> [Project] {
        guard let enabled = members["enabled"]?.boolValue, enabled != project.isEnabled else { return [] }
        let below = state.descendants(of: project.id).filter { $0.isEnabled != enabled }
        guard isCascade else {
            guard enabled || below.isEmpty else {
                throw .forbidden("Cannot disable project \(project.key) since its subtree contains enabled projects.")
            }
            return []
        }
        guard members.keys.allSatisfy({ $0 == "enabled" || $0 == "id" }) else {
            throw .badRequest("Cascade update is only allowed for enabled attribute.")
        }
        return below.map { child in
            var child = child
            child.isEnabled = enabled
            return child
        }
    }

    @Sendable private func deleteDomain(_ call: APICall) async throws -> APIResponse {
        let key = call.parameter("id")
        let find = { @Sendable (state: IdentityState) in
            try domains.record(key, call, domains.rule(.delete), state)
        }
        try IdentityKinds.requireDeletable(try find(identity.directory.state))
        return try await delete(call, key) { edit in try find(edit.state) }
    }

    private func delete(
        _ call: APICall, _ key: String, domain find: @escaping @Sendable (IdentityEdit) throws -> Domain
    ) async throws -> APIResponse {
        let origin = try call.origin()
        try await call.remove(identity, target: key, clearing: "identity.domain.clear") { edit in
            let domain = try find(edit)
            try IdentityKinds.requireDeletable(domain)
            return try identity.remove(domain, cascade: Self.isCascade(call), by: origin, in: &edit)
        }
        return .empty(204)
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        let rule = kind.rule(.delete)
        let state = identity.directory.state
        if let domain = try domain(call, rule, state) {
            return try await delete(call, domain.key) { edit in
                guard let domain = try self.domain(call, rule, edit.state) else { throw StoreError.stale(domain.key) }
                return domain
            }
        }
        let known = try kind.record(call.parameter("id"), call, rule, state)
        let origin = try call.origin()
        try await call.remove(identity, target: known.key, clearing: "identity.project.clear") { edit in
            let project = try kind.record(known.key, call, rule, edit.state)
            let below = try Self.removable(below: project, isCascade: Self.isCascade(call), edit.state)
            return try identity.remove(
                below.reversed() + [project], cascade: Self.isCascade(call), by: origin, in: &edit)
        }
        return .empty(204)
    }

    /// What goes along with a project.
    private static func removable(
        below project: Project, isCascade: Bool, _ state: IdentityState
    ) throws(APIError) -> [Project] {
        try project.requireDeletable("project")
        let below = state.descendants(of: project.id)
        guard isCascade || below.isEmpty else {
            throw .forbidden(
                """
                Cannot delete the project \(project.key) since it is not a leaf in the hierarchy. Use the cascade \
                option if you want to delete a whole subtree.
                """)
        }
        guard below.allSatisfy({ !$0.isEnabled }) else {
            throw .forbidden("Cannot delete project \(project.key) since its subtree contains enabled projects.")
        }
        for child in below { try child.requireDeletable("project") }
        return below
    }
}

/// The shape of a tree of projects, as nested objects.
enum ProjectTree {
    /// Each project's identifier to what stands below it; `null` for nothing.
    /// - Parameter root: `nil` for what stands directly below the domain.
    static func ids(below root: ProjectID?, of projects: [Project]) -> JSON {
        let children = Dictionary(grouping: projects, by: \.parent)
        func tree(_ parent: ProjectID?) -> JSON {
            guard let own = children[parent], !own.isEmpty else { return nil }
            return .object(Dictionary(own.map { ($0.key, tree($0.id)) }, uniquingKeysWith: { first, _ in first }))
        }
        return tree(root)
    }

    /// From the nearest up to the domain.
    static func ids(above project: Project, _ state: IdentityState) -> JSON {
        var chain: JSON = [project.domain: nil]
        for above in state.ancestors(of: project).reversed() { chain = [above.key: chain] }
        return chain
    }
}
