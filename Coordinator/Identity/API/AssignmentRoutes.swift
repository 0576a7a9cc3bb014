import CoordinatorPlatform
import ProtocolModel

/// `GET /v3/role_assignments`
struct AssignmentRoutes: Sendable {
    let identity: IdentityService

    var all: [Route] { [Route(.get, "/v3/role_assignments", handler: list)] }

    /// The projects on which a user has a role, by name.
    static func projects(of user: UserID, _ state: IdentityState) -> [Project] {
        let given = state.assignments(of: user)
        return state.projects.values
            .filter { project in given.contains { state.counts($0, at: .project(project.id)) } }
            .sorted { ($0.name, $0.key) < ($1.name, $1.key) }
    }

    private func list(_ call: APICall) async throws -> APIResponse {
        let state = identity.directory.state
        try authorize(call, state)
        let isEffective = Self.flag(call, "effective")
        let withNames = Self.flag(call, "include_names")
        var found = state.assignments.values.flatMap { $0 }
        if isEffective { found = Self.effective(found, state) }
        let wanted = found.filter { matches($0, call, state) }
        let rendered = wanted.map { (Self.order($0), render($0, call, state, withNames: withNames)) }
        return Rendering.collection("role_assignments", rendered.sorted { $0.0 < $1.0 }.map(\.1), call)
    }

    /// A domain's reader sees the assignments in the own domain's projects, which must be asked for.
    private func authorize(_ call: APICall, _ state: IdentityState) throws {
        var domain: String?
        if let key = call.query("scope.project.id") {
            domain = ProjectID(key).flatMap { state.projects[$0]?.domain }
        } else if let key = call.query("scope.domain.id") {
            domain = key
        }
        if let user = call.query("user.id"), user == call.caller?.user.compact { return }
        try call.authorize("identity:list_role_assignments", domain: domain)
    }

    private static func flag(_ call: APICall, _ name: String) -> Bool {
        guard let value = call.query(name) else { return false }
        return value != "0" && value.lowercased() != "false"
    }

    /// Groups become their members, inherited assignments become those they cause, implied roles are added.
    private static func effective(_ assignments: [Assignment], _ state: IdentityState) -> [Assignment] {
        var found = Set<Assignment>()
        for assignment in assignments {
            let actors: [Assignment.Actor] =
                switch assignment.actor {
                case .user: [assignment.actor]
                case .group(let key): (state.membersOfGroup[key] ?? []).map { .user($0) }
                }
            let targets: [Assignment.Target] =
                assignment.isInherited
                ? state.projects.keys.map { .project($0) }.filter { state.counts(assignment, at: $0) }
                : [assignment.target]
            for role in state.expanded([assignment.role]) {
                for actor in actors {
                    for target in targets { found.insert(Assignment(actor: actor, target: target, role: role)) }
                }
            }
        }
        return Array(found)
    }

    private func matches(_ assignment: Assignment, _ call: APICall, _ state: IdentityState) -> Bool {
        if let key = call.query("user.id"), assignment.actor != UserID(key).map({ .user($0) }) { return false }
        if let key = call.query("group.id"), assignment.actor != .group(key) { return false }
        if let key = call.query("role.id"), assignment.role != key { return false }
        if let key = call.query("scope.domain.id"), assignment.target != .domain(key) { return false }
        if let key = call.query("scope.project.id") {
            guard case .project(let id) = assignment.target, let project = state.projects[id] else { return false }
            let isBelow =
                Self.flag(call, "include_subtree") && state.ancestors(of: project).contains { $0.key == key }
            guard project.key == key || isBelow else { return false }
        }
        if call.query("scope.system") != nil, assignment.target != .system { return false }
        if call.query("scope.OS-INHERIT:inherited_to") != nil, !assignment.isInherited { return false }
        return true
    }

    private static func order(_ assignment: Assignment) -> String { "\(assignment)" }

    private func render(_ assignment: Assignment, _ call: APICall, _ state: IdentityState, withNames: Bool) -> JSON {
        var members: [String: JSON] = [:]
        var path: String
        var scope: [String: JSON]
        switch assignment.target {
        case .project(let id):
            scope = ["project": project(id, state, withNames)]
            path = "projects/\(id.compact)"
        case .domain(let key):
            scope = ["domain": domain(key, state, withNames)]
            path = "domains/\(key)"
        case .system:
            scope = ["system": ["all": true]]
            path = "system"
        }
        switch assignment.actor {
        case .user(let id):
            members["user"] = user(id, state, withNames)
            path += "/users/\(id.compact)"
        case .group(let key):
            members["group"] = group(key, state, withNames)
            path += "/groups/\(key)"
        }
        path += "/roles/\(assignment.role)"
        if assignment.isInherited {
            scope["OS-INHERIT:inherited_to"] = "projects"
            path = "OS-INHERIT/\(path)/inherited_to_projects"
        }
        members["role"] = role(assignment.role, state, withNames)
        members["scope"] = .object(scope)
        members["links"] = ["assignment": .string(Rendering.link(call, path))]
        return .object(members)
    }

    private func named(_ key: String, _ name: String?, _ domain: String?, _ state: IdentityState, _ withNames: Bool)
        -> JSON
    {
        guard withNames else { return ["id": .string(key)] }
        var members: [String: JSON] = ["id": .string(key), "name": JSON(name)]
        if let domain {
            members["domain"] = ["id": .string(domain), "name": JSON(state.domains[domain]?.name)]
        }
        return .object(members)
    }

    private func project(_ id: ProjectID, _ state: IdentityState, _ withNames: Bool) -> JSON {
        named(id.compact, state.projects[id]?.name, state.projects[id]?.domain, state, withNames)
    }
    private func domain(_ key: String, _ state: IdentityState, _ withNames: Bool) -> JSON {
        named(key, state.domains[key]?.name, nil, state, withNames)
    }
    private func user(_ id: UserID, _ state: IdentityState, _ withNames: Bool) -> JSON {
        named(id.compact, state.users[id]?.name, state.users[id]?.domain, state, withNames)
    }
    private func group(_ key: String, _ state: IdentityState, _ withNames: Bool) -> JSON {
        named(key, state.groups[key]?.name, state.groups[key]?.domain, state, withNames)
    }
    private func role(_ key: String, _ state: IdentityState, _ withNames: Bool) -> JSON {
        named(key, state.roles[key]?.name, state.roles[key]?.domain, state, withNames)
    }
}
