import CoordinatorPlatform
import ProtocolModel

/// Roles given to a user or group on a project, a domain or the whole system, and the inherited ones.
struct GrantRoutes: Sendable {
    let identity: IdentityService

    private struct Place: Sendable {
        let path: String
        let isInherited: Bool
        let suffix: String
    }

    var all: [Route] {
        var routes: [Route] = []
        for actor in ["users/{user}", "groups/{group}"] {
            let places = [
                Place(path: "/v3/projects/{project}/\(actor)/roles", isInherited: false, suffix: ""),
                Place(path: "/v3/domains/{domain}/\(actor)/roles", isInherited: false, suffix: ""),
                Place(path: "/v3/system/\(actor)/roles", isInherited: false, suffix: ""),
                Place(
                    path: "/v3/OS-INHERIT/projects/{project}/\(actor)/roles", isInherited: true,
                    suffix: "/inherited_to_projects"),
                Place(
                    path: "/v3/OS-INHERIT/domains/{domain}/\(actor)/roles", isInherited: true,
                    suffix: "/inherited_to_projects")
            ]
            for place in places { routes += self.routes(place) }
        }
        return routes
    }

    private func routes(_ place: Place) -> [Route] {
        let one = "\(place.path)/{role}\(place.suffix)"
        return [
            Route(.get, place.path + place.suffix) { try await list($0, isInherited: place.isInherited) }.asking(
                Self.rule("list", at: place)),
            Route(.get, one) { try await check($0, isInherited: place.isInherited) }.asking(
                Self.rule("check", at: place)),
            Route(.put, one, action: "identity.role_assignment.create") {
                try await give($0, isInherited: place.isInherited)
            }.asking(Self.rule("create", at: place)),
            Route(.delete, one, action: "identity.role_assignment.delete") {
                try await take($0, isInherited: place.isInherited)
            }.asking(Self.rule("revoke", at: place))
        ]
    }

    /// The rule of a verb at a place, as ``rule(_:_:)`` finds it from the path.
    private static func rule(_ verb: String, at place: Place) -> String {
        guard place.path.hasPrefix("/v3/system/") else {
            return verb == "list" ? "identity:list_grants" : "identity:\(verb)_grant"
        }
        let actor = place.path.contains("{group}") ? "group" : "user"
        return "identity:\(verb)_system_grant\(verb == "list" ? "s" : "")_for_\(actor)"
    }

    /// The rule of a verb: the grants for the system have their own.
    private static func rule(_ verb: String, _ call: APICall) -> String {
        guard call.parameters["project"] == nil, call.parameters["domain"] == nil else {
            return verb == "list" ? "identity:list_grants" : "identity:\(verb)_grant"
        }
        let actor = call.parameters["user"] == nil ? "group" : "user"
        return "identity:\(verb)_system_grant\(verb == "list" ? "s" : "")_for_\(actor)"
    }

    /// Who and where, from the path.
    private func subject(
        _ call: APICall, _ state: IdentityState, rule: String
    ) throws -> (actor: Assignment.Actor, target: Assignment.Target) {
        let target: Assignment.Target
        if let key = call.parameters["project"], state.domains[key] != nil {
            // The project that acts as the domain stands in none: the domain's own people have no say in it.
            try call.authorize(rule)
            target = .domainAsProject(key)
        } else if let key = call.parameters["project"] {
            guard let project = ProjectID(key).flatMap({ state.projects[$0] }) else {
                try call.authorize(rule)
                throw IdentityAPI.notFound("project", key)
            }
            try call.authorize(rule, domain: project.domain)
            target = .project(project.id)
        } else if let key = call.parameters["domain"] {
            try call.authorize(rule, domain: key)
            guard state.domains[key] != nil else { throw IdentityAPI.notFound("domain", key) }
            target = .domain(key)
        } else {
            try call.authorize(rule)
            target = .system
        }
        return (try actor(call, rule: rule, at: target, state), target)
    }

    /// A domain's manager deals with the people of the domain only.
    private func actor(
        _ call: APICall, rule: String, at target: Assignment.Target, _ state: IdentityState
    ) throws -> Assignment.Actor {
        if let key = call.parameters["user"] {
            guard let user = UserID(key).flatMap({ state.users[$0] }) else { throw IdentityAPI.notFound("user", key) }
            if target != .system { try call.authorize(rule, domain: user.domain) }
            return .user(user.id)
        }
        let key = call.parameter("group")
        guard let group = state.groups[key] else { throw IdentityAPI.notFound("group", key) }
        if target != .system { try call.authorize(rule, domain: group.domain) }
        return .group(key)
    }

    private func assignment(
        _ call: APICall, _ state: IdentityState, rule: String, isInherited: Bool
    ) throws -> Assignment {
        let (actor, target) = try subject(call, state, rule: rule)
        let key = call.parameter("role")
        guard let role = state.roles[key] else { throw IdentityAPI.notFound("role", key) }
        if !rule.hasPrefix("identity:check"), !IdentityPolicy.mayGive(role, try call.requireCaller(), state) {
            throw call.words.forbidden(rule)
        }
        return Assignment(actor: actor, target: target, role: key, isInherited: isInherited)
    }

    private func require(_ assignment: Assignment, _ state: IdentityState) throws(APIError) {
        guard state.assignments[assignment.actor]?.contains(assignment) == true else { throw missing(assignment) }
    }

    private func list(_ call: APICall, isInherited: Bool) async throws -> APIResponse {
        let state = identity.directory.state
        let (actor, target) = try subject(call, state, rule: Self.rule("list", call))
        let roles = (state.assignments[actor] ?? []).filter { $0.target == target && $0.isInherited == isInherited }
            .compactMap { state.roles[$0.role] }.sorted { $0.name < $1.name }
        return Keystone.collection("roles", roles.map { Keystone.single($0.rendered, "roles/\($0.key)", call) }, call)
    }

    private func check(_ call: APICall, isInherited: Bool) async throws -> APIResponse {
        let state = identity.directory.state
        let rule = Self.rule("check", call)
        try require(try assignment(call, state, rule: rule, isInherited: isInherited), state)
        return .empty(204)
    }

    private func give(_ call: APICall, isInherited: Bool) async throws -> APIResponse {
        let rule = Self.rule("create", call)
        return try await call.change(
            identity, { try assignment(call, $0, rule: rule, isInherited: isInherited) },
            { assignment, edit in
                try Self.requireSameDomain(assignment, edit.state)
                try edit.give(assignment)
            })
    }

    private func take(_ call: APICall, isInherited: Bool) async throws -> APIResponse {
        let rule = Self.rule("revoke", call)
        return try await call.change(
            identity,
            { state in
                let assignment = try assignment(call, state, rule: rule, isInherited: isInherited)
                try require(assignment, state)
                return assignment
            }, { try $1.take($0) })
    }

    /// A domain's own role goes with the domain's projects only.
    private static func requireSameDomain(_ assignment: Assignment, _ state: IdentityState) throws(APIError) {
        guard let domain = state.roles[assignment.role]?.domain else { return }
        let project: String
        switch assignment.target {
        case .project(let id):
            guard state.projects[id]?.domain != domain else { return }
            project = id.compact
        case .domainAsProject(let key): project = key
        case .domain, .system: return
        }
        throw .forbidden(
            "Project \(project) must be in the same domain as the role \(assignment.role) being assigned.")
    }

    private func missing(_ assignment: Assignment) -> APIError {
        let actor =
            switch assignment.actor {
            case .user(let id): id.compact
            case .group(let key): key
            }
        let target =
            switch assignment.target {
            case .project(let id): id.compact
            case .domain(let key), .domainAsProject(let key): key
            case .system: "system"
            }
        return .notFound(
            """
            Could not find role assignment with role: \(assignment.role), user or group: \(actor), project, domain, or \
            system: \(target).
            """)
    }
}
