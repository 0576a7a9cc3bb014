import CoordinatorPlatform
import ProtocolModel

/// `GET /v3/role_assignments`
struct AssignmentRoutes: Sendable {
    let identity: IdentityService

    var all: [Route] {
        [
            Route(.get, "/v3/role_assignments", handler: list).asking(
                "identity:list_role_assignments", "identity:list_role_assignments_for_tree")
        ]
    }

    /// The projects on which a user has a role, by name.
    static func projects(of user: UserID, _ state: IdentityState) -> [Project] {
        let given = state.assignments(of: user)
        return state.projects.values
            .filter { project in given.contains { state.counts($0, at: .project(project.id)) } }
            .sorted { ($0.name, $0.key) < ($1.name, $1.key) }
    }

    /// The same as the API shows them, with the projects that act as domains.
    static func shownProjects(of user: UserID, _ state: IdentityState) -> [[String: JSON]] {
        let own = projects(of: user, state).map(\.rendered)
        let acting = state.domainsAsProjects(of: user)
        guard !acting.isEmpty else { return own }
        func order(_ members: [String: JSON]) -> (String, String) {
            (members["name"]?.stringValue ?? "", members["id"]?.stringValue ?? "")
        }
        return (own + acting.map(\.renderedAsProject)).sorted { order($0) < order($1) }
    }

    private func list(_ call: APICall) async throws -> APIResponse {
        let state = identity.directory.state
        try authorize(call, state)
        try Self.check(call)
        guard let query = try Self.query(call, state) else { return Keystone.collection("role_assignments", [], call) }
        let found = ProjectRoutes.flag(call, "effective") ? state.effective(query) : state.given(query)
        let view = AssignmentView(state: state, call: call, withNames: ProjectRoutes.flag(call, "include_names"))
        let mine = found.filter { Self.isVisible($0, to: call, state) }
        let rendered = mine.map { (order: "\($0)", body: view.render($0)) }
        return Keystone.collection("role_assignments", rendered.sorted { $0.order < $1.order }.map(\.body), call)
    }

    private func authorize(_ call: APICall, _ state: IdentityState) throws {
        guard ProjectRoutes.flag(call, "include_subtree") else {
            return try call.authorize(
                "identity:list_role_assignments", domain: call.scopeDomain)
        }
        guard let key = call.query("scope.project.id"), !key.isEmpty else {
            try call.authorize("identity:list_role_assignments_for_tree")
            throw APIError.badRequest("scope.project.id must be specified if include_subtree is also specified")
        }
        guard let project = ProjectID(key).flatMap({ state.projects[$0] }) else {
            try call.authorize("identity:list_role_assignments_for_tree")
            if state.domains[key] != nil { return }
            throw IdentityAPI.notFound("project", key)
        }
        try call.authorize("identity:list_role_assignments_for_tree", project: project.id, domain: project.domain)
    }

    /// - Throws: ``APIError`` 400 for filters that exclude each other.
    private static func check(_ call: APICall) throws(APIError) {
        func has(_ name: String) -> Bool { call.query(name).map { !$0.isEmpty } ?? false }
        if has("scope.domain.id"), has("scope.project.id") {
            throw .badRequest("Specify a domain or project, not both")
        }
        if has("scope.domain.id"), has("scope.system") { throw .badRequest("Specify system or domain, not both") }
        if has("scope.project.id"), has("scope.system") { throw .badRequest("Specify system or project, not both") }
        if has("user.id"), has("group.id") { throw .badRequest("Specify a user or group, not both") }
        guard ProjectRoutes.flag(call, "effective") else { return }
        if has("group.id") {
            throw .badRequest("Combining effective and group filter will always result in an empty list.")
        }
        if call.query("scope.OS-INHERIT:inherited_to") == "projects", has("scope.domain.id") {
            throw .badRequest(
                "Combining effective, domain and inherited filters will always result in an empty list.")
        }
    }

    /// - Returns: `nil` where a filter names what does not exist: nothing is listed then.
    private static func query(_ call: APICall, _ state: IdentityState) throws(APIError) -> AssignmentQuery? {
        func value(_ name: String) -> String? { call.query(name).flatMap { $0.isEmpty ? nil : $0 } }
        var query = AssignmentQuery()
        query.group = value("group.id")
        query.role = value("role.id")
        query.domain = value("scope.domain.id")
        query.isSystem = value("scope.system") == "all"
        query.isInherited = call.query("scope.OS-INHERIT:inherited_to").map { $0 == "projects" }
        if let key = value("user.id") {
            guard let id = UserID(key) else { return nil }
            query.user = id
        }
        let isTree = ProjectRoutes.flag(call, "include_subtree")
        if let key = value("scope.project.id"), state.domains[key] != nil {
            query.domainAsProject = key
            query.projects = Set(isTree ? state.projects.values.filter { $0.domain == key }.map(\.id) : [])
        } else if let key = value("scope.project.id") {
            guard let id = ProjectID(key), state.projects[id] != nil else { return nil }
            let below = isTree ? state.descendants(of: id).map(\.id) : []
            query.projects = Set(below + [id])
        }
        return query
    }

    /// A domain's reader sees what concerns the domain and its projects.
    private static func isVisible(_ shown: ShownAssignment, to call: APICall, _ state: IdentityState) -> Bool {
        guard let domain = call.scopeDomain else { return true }
        return switch shown.assignment.target {
        case .domain(let key): key == domain
        case .project(let id): state.projects[id]?.domain == domain
        case .domainAsProject, .system: false
        }
    }
}

/// Writes assignments as the API shows them.
struct AssignmentView {
    let state: IdentityState
    let call: APICall
    let withNames: Bool

    func render(_ shown: ShownAssignment) -> JSON {
        var members: [String: JSON] = [:]
        var links: [String: JSON] = [:]
        var scope: [String: JSON] = [:]
        switch shown.assignment.target {
        case .project(let id):
            scope["project"] = named(id.compact, state.projects[id]?.name, state.projects[id]?.domain)
        case .domain(let key): scope["domain"] = named(key, state.domains[key]?.name, nil)
        case .domainAsProject(let key): scope["project"] = named(key, state.domains[key]?.name, nil)
        case .system: scope["system"] = ["all": true]
        }
        var path = Self.path(shown.source ?? shown.assignment.target)
        switch shown.assignment.actor {
        case .user(let id):
            members["user"] = named(id.compact, state.users[id]?.name, state.users[id]?.domain)
            if let group = shown.group {
                links["membership"] = .string(Keystone.link(call, "groups/\(group)/users/\(id.compact)"))
                path += "/groups/\(group)"
            } else {
                path += "/users/\(id.compact)"
            }
        case .group(let key):
            members["group"] = named(key, state.groups[key]?.name, state.groups[key]?.domain)
            path += "/groups/\(key)"
        }
        path += "/roles/\(shown.prior ?? shown.assignment.role)"
        if shown.assignment.isInherited || shown.source != nil {
            scope["OS-INHERIT:inherited_to"] = "projects"
            path = "OS-INHERIT/\(path)/inherited_to_projects"
        }
        links["assignment"] = .string(Keystone.link(call, path))
        if let prior = shown.prior {
            // Keystone puts the roles in this order, though the names say otherwise.
            links["prior_role"] = .string(
                Keystone.link(call, "prior_role/\(shown.assignment.role)/implies/\(prior)"))
        }
        let role = state.roles[shown.assignment.role]
        members["role"] = named(shown.assignment.role, role?.name, role?.domain)
        members["scope"] = .object(scope)
        members["links"] = .object(links)
        return .object(members)
    }

    private static func path(_ target: Assignment.Target) -> String {
        switch target {
        case .project(let id): "projects/\(id.compact)"
        case .domain(let key): "domains/\(key)"
        case .domainAsProject(let key): "projects/\(key)"
        case .system: "system"
        }
    }

    private func named(_ key: String, _ name: String?, _ domain: String?) -> JSON {
        guard withNames else { return ["id": .string(key)] }
        var members: [String: JSON] = ["id": .string(key), "name": .string(name ?? "")]
        if let domain {
            members["domain"] = ["id": .string(domain), "name": .string(state.domains[domain]?.name ?? "")]
        }
        return .object(members)
    }
}
