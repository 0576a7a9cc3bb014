import CoordinatorPlatform
import ProtocolModel

/// `/v3/projects`: trees of projects, and the projects that act as domains, which are the domains seen from here.
struct ProjectRoutes: Sendable {
    let identity: IdentityService
    private let kind = IdentityService.projects
    private let domains = IdentityService.domains

    init(identity: IdentityService) { self.identity = identity }

    var all: [Route] {
        [
            Route(.get, kind.collectionPath, handler: list).asking("identity:list_projects", "identity:get_project"),
            Route(.post, kind.collectionPath, action: "identity.project.create", handler: create).asking(
                "identity:create_project"),
            Route(.get, kind.memberPath, handler: show).asking("identity:get_project"),
            Route(.patch, kind.memberPath, action: "identity.project.update", handler: update).asking(
                "identity:update_project"),
            Route(.delete, kind.memberPath, action: "identity.project.delete", handler: delete).asking(
                "identity:delete_project")
        ]
    }

    /// A flag in the query: there and not `0`.
    static func flag(_ call: APICall, _ name: String) -> Bool { call.query(name).map { $0 != "0" } ?? false }

    /// `cascade=true`
    static func isCascade(_ call: APICall) -> Bool { call.query("cascade").map(ListFilter.flag) ?? false }

    private func rendered(_ domain: Domain, _ call: APICall) -> JSON {
        Rendering.single(domain.renderedAsProject, "projects/\(domain.key)", call)
    }

    /// The domain that the path names, asked for by the rules of projects. It stands in no domain itself, so its own
    /// people, who may look at it under `/v3/domains`, neither see nor change it here.
    private func domain(_ call: APICall, rule: String) throws -> Domain? {
        guard let domain = identity.directory.state.domains[call.parameter("key")] else { return nil }
        try call.authorize("identity:\(rule)")
        return domain
    }

    private func list(_ call: APICall) async throws -> APIResponse {
        guard let flag = call.query("is_domain"), ListFilter.flag(flag) else {
            return try await kind.list(call, identity)
        }
        let scope = ResourceKind<Project>.scope(call)
        try call.authorize("identity:list_projects", domain: scope)
        let tests = try ListFilter.parse(call.query, names: kind.filters)
        let tags = TagFilter(call.query)
        // With a domain's token one sees what stands in the domain, and these stand in none.
        let candidates = scope == nil ? Array(identity.directory.state.domains.values) : []
        let items = candidates.compactMap { domain -> Rendering.Item? in
            guard call.isAllowed("identity:get_project"), tags.matches(domain.tags),
                tests.allSatisfy({ $0.matches(domain.renderedAsProject) })
            else { return nil }
            return Rendering.Item(key: domain.key, name: domain.name) { rendered(domain, call) }
        }
        return try Rendering.page("projects", items, call)
    }

    private func create(_ call: APICall) async throws -> APIResponse {
        let fields = try await IdentityService.fields(call, at: "project")
        guard try fields.optionalBool("is_domain") == true else { return try await kind.create(call, identity) }
        try call.authorize("identity:create_project")
        guard try IdentityService.reference(fields, "parent_id") == nil,
            try IdentityService.reference(fields, "domain_id") == nil
        else { throw APIError.badRequest("only root projects are allowed to act as domains.") }
        let domain = try IdentityService.newDomain(fields, key: IdentityService.newKey())
        do {
            try await identity.create(domain, call) { $0.put(domain) }
        } catch StoreError.duplicate {
            throw APIError.conflict(
                "Conflict occurred attempting to store \(domains.conflict?(domain) ?? "project").")
        }
        return .json(["project": rendered(domain, call)], status: 201)
    }

    private func show(_ call: APICall) async throws -> APIResponse {
        let state = identity.directory.state
        if let domain = try domain(call, rule: "get_project") {
            guard case .object(var members) = rendered(domain, call) else { return .empty(500) }
            let below = state.projects.values.filter { $0.domain == domain.key }
            if Self.flag(call, "parents_as_ids") { members["parents"] = nil as JSON }
            if Self.flag(call, "subtree_as_ids") {
                members["subtree"] = ProjectTree.ids(below: nil, of: Array(below))
            }
            return .json(["project": .object(members)])
        }
        let project = try kind.record(call, identity, rule: "get_project")
        guard case .object(var members) = kind.rendered(project, call) else { return .empty(500) }
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
        guard withLimits, case .object(var members) = kind.rendered(project, call) else {
            return ["project": kind.rendered(project, call)]
        }
        let limits = state.resources.limits
        let own = limits.limits.values.filter { $0.owner == .project(project.id) }.sorted { $0.key < $1.key }
        members["limits"] = .array(own.map { .object($0.rendered(limits.registered[$0.registered])) })
        return ["project": .object(members)]
    }

    private func update(_ call: APICall) async throws -> APIResponse {
        if let domain = try domain(call, rule: "update_project") { return try await update(domain, call) }
        let project = try kind.record(call, identity, rule: "update_project")
        let fields = try await IdentityService.fields(call, at: "project")
        let state = identity.directory.state
        guard let children = try Self.switched(below: project, fields, isCascade: Self.isCascade(call), state) else {
            return try await kind.update(call, identity)
        }
        var changed = project
        try await kind.change(&changed, fields, call, state)
        let stored = try await identity.update([changed] + children, call)
        return .json(["project": kind.rendered(stored[0], call)])
    }

    /// - Returns: The projects below as a change of `enabled` that takes them along leaves them; `nil` for a change of
    ///   the project alone.
    private static func switched(
        below project: Project, _ fields: Fields, isCascade: Bool, _ state: IdentityState
    ) throws -> [Project]? {
        guard let enabled = try fields.optionalBool("enabled"), enabled != project.isEnabled else { return nil }
        let below = state.descendants(of: project.id).filter { $0.isEnabled != enabled }
        guard isCascade else {
            guard enabled || below.isEmpty else {
                throw APIError.forbidden(
                    "Cannot disable project \(project.key) since its subtree contains enabled projects.")
            }
            return nil
        }
        guard fields.members.keys.allSatisfy({ $0 == "enabled" || $0 == "id" }) else {
            throw APIError.badRequest("Cascade update is only allowed for enabled attribute.")
        }
        return below.map { child in
            var child = child
            child.isEnabled = enabled
            return child
        }
    }

    private func update(_ domain: Domain, _ call: APICall) async throws -> APIResponse {
        let fields = try await IdentityService.fields(call, at: "project")
        if let id = fields["id"], !id.isNull, id != .string(domain.key) {
            throw APIError.badRequest("Cannot change ID")
        }
        if let given = fields["domain_id"], !given.isNull { throw APIError.badRequest("Cannot change Domain ID") }
        if let given = fields["parent_id"], !given.isNull {
            throw APIError.forbidden("Update of `parent_id` is not allowed.")
        }
        if try fields.optionalBool("is_domain") == false {
            throw APIError.badRequest("Update of `is_domain` is not allowed.")
        }
        var changed = domain
        try IdentityService.changeDomain(&changed, fields)
        let stored: Domain
        do {
            stored = try await identity.update(changed, call) { $0.put($1) }
        } catch StoreError.duplicate {
            throw APIError.conflict("Conflict occurred attempting to store \(domains.conflict?(changed) ?? "project").")
        }
        return .json(["project": rendered(stored, call)])
    }

    private func delete(_ call: APICall) async throws -> APIResponse {
        if let domain = try domain(call, rule: "delete_project") {
            try domains.checkDelete(domain, identity.directory.state)
            try await identity.remove(domain, cascade: Self.isCascade(call), call)
            return .empty(204)
        }
        let project = try kind.record(call, identity, rule: "delete_project")
        try kind.checkDelete(project, identity.directory.state)
        let below = identity.directory.state.descendants(of: project.id)
        if !below.isEmpty {
            guard Self.isCascade(call) else {
                throw APIError.forbidden(
                    """
                    Cannot delete the project \(project.key) since it is not a leaf in the hierarchy. Use the cascade \
                    option if you want to delete a whole subtree.
                    """)
            }
            guard below.allSatisfy({ !$0.isEnabled }) else {
                throw APIError.forbidden(
                    "Cannot delete project \(project.key) since its subtree contains enabled projects.")
            }
            for child in below { try child.requireDeletable("project") }
        }
        try await identity.remove(below.reversed() + [project], cascade: Self.isCascade(call), call)
        return .empty(204)
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
