import CoordinatorPlatform
import ProtocolModel

extension IdentityService {
    /// Users; unlike the other kinds they need the hasher.
    var users: ResourceKind<User> {
        ResourceKind<User>(
            singular: "user", plural: "users", filters: ["name", "enabled", "domain_id", "default_project_id", "email"],
            all: { Array($0.users.values) }, find: { state, key in UserID(key).flatMap { state.users[$0] } },
            render: { rendered($0) }, target: { Policy.Target(domain: $0.domain, user: $0.id) },
            make: { fields, call, state in
                var user = User(
                    id: .random(), domain: try Self.domain(fields, call, state), name: try Self.name(fields),
                    description: try fields.nullableString("description").flatMap { $0 },
                    isEnabled: try fields.optionalBool("enabled") ?? true,
                    defaultProject: try fields.nullableString("default_project_id").flatMap { $0 },
                    createdAt: call.now, extra: Self.extra(fields, known: Self.userMembers))
                user.extra["options"] = try Self.options(fields, over: nil)
                if let password = try fields.nullableString("password").flatMap({ $0 }) {
                    // Hashing is dear: only who may make users gets to it.
                    try call.authorize("identity:create_user", domain: user.domain)
                    user = try await setPassword(password, of: user, at: call.now)
                    // Nothing has been issued that could be void.
                    user.tokensValidFrom = 0
                }
                return user
            },
            change: { user, fields, call, state in
                try IdentityPolicy.requireMayChange(
                    holding: state.assignments(of: user.id), state, call, rule: "identity:update_user")
                if let key = fields["domain_id"], key != .string(user.domain) {
                    throw APIError.badRequest("Cannot change Domain ID.")
                }
                if let name = try Self.changedName(fields) { user.name = name }
                if let description = try fields.nullableString("description") { user.description = description }
                if let project = try fields.nullableString("default_project_id") { user.defaultProject = project }
                if let enabled = try fields.optionalBool("enabled") {
                    if user.isEnabled, !enabled { user.endTokens(at: tokens.bound(at: call.now)) }
                    user.isEnabled = enabled
                }
                let options = try Self.options(fields, over: user.extra["options"])
                user.extra = Self.extra(fields, known: Self.userMembers, over: user.extra)
                user.extra["options"] = options
                if let password = try fields.nullableString("password") {
                    user = try await setPassword(password, of: user, at: call.now)
                }
            },
            checkDelete: { _, _ in }, put: { $0.put($1) }, remove: { $0.remove($1) },
            isListed: { user, call in
                call.query("password_expires_at").map { PasswordExpiryFilter($0)?.matches(user) ?? false } ?? true
            },
            beforeWrite: settle,
            beforeDelete: { user, call, identity, transaction in
                let state = identity.directory.state
                try IdentityPolicy.requireMayChange(
                    holding: state.assignments(of: user.id), state, call, rule: "identity:delete_user")
                try identity.held.tidy(after: user.id, in: transaction)
            })
    }

    /// One that stayed away for too long counts as disabled.
    func rendered(_ user: User) -> [String: JSON] {
        var members = user.rendered
        let isInactive = PasswordRules.isInactive(
            user, directory.state.activity[user.id], settings.security, at: clock.now())
        if isInactive { members["enabled"] = false }
        return members
    }

    private static func options(_ fields: Fields, over stored: JSON?) throws(APIError) -> JSON? {
        try UserOptions.merged(fields, over: stored, methods: AuthenticationMethods.names)
    }

    private static let userMembers: Set<String> = [
        "name", "description", "enabled", "domain_id", "default_project_id", "password", "options"
    ]
}

/// `password_expires_at=lt:2026-01-01T00:00:00Z`; users whose password does not expire are on no such list.
struct PasswordExpiryFilter: Sendable {
    private let comparison: Substring
    private let time: Int64

    /// - Returns: `nil` for anything but a comparison, a colon and a time.
    init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":"), let time = Timestamp.parse(text[text.index(after: colon)...]),
            ["lt", "lte", "gt", "gte", "eq", "neq"].contains(text[..<colon])
        else { return nil }
        comparison = text[..<colon]
        self.time = time
    }

    func matches(_ user: User) -> Bool {
        guard let end = user.passwordState.expiresAt else { return false }
        return switch comparison {
        case "lt": end < time
        case "lte": end <= time
        case "gt": end > time
        case "gte": end >= time
        case "eq": end == time
        default: end != time
        }
    }
}

/// Passwords, and what a user belongs to.
struct UserRoutes: Sendable {
    let identity: IdentityService

    var all: [Route] {
        [
            Route(
                .post, "/v3/users/{key}/password", action: "identity.user.password", access: .anybody,
                bodyLimit: 64 << 10,
                handler: changePassword),
            Route(.get, "/v3/users/{key}/projects", handler: projects).asking("identity:list_user_projects"),
            Route(.get, "/v3/users/{key}/groups", handler: groups).asking("identity:list_groups_for_user"),
            Route(.get, "/v3/groups/{key}/users", handler: members).asking("identity:list_users_in_group"),
            Route(.put, "/v3/groups/{key}/users/{user}", action: "identity.group.add_user", handler: addMember).asking(
                "identity:add_user_to_group"),
            Route(.get, "/v3/groups/{key}/users/{user}", handler: checkMember).asking("identity:list_users_in_group"),
            Route(.delete, "/v3/groups/{key}/users/{user}", action: "identity.group.remove_user", handler: removeMember)
                .asking("identity:remove_user_from_group")
        ]
    }

    /// Whoever knows the old password may set a new one; no token is needed (an expired password must be replaceable).
    private func changePassword(_ call: APICall) async throws -> APIResponse {
        let fields = try await IdentityService.fields(call, at: "user")
        try fields.allow(only: ["password", "original_password"])
        let password = try fields.string("password")
        let original = try fields.string("original_password")
        let user = UserID(call.parameter("key")).flatMap { identity.directory.state.users[$0] }
        let changed = try await identity.changePassword(password, from: original, of: user, at: call.now)
        _ = try await identity.update(changed, call) { $0.put($1) }
        return .empty(204)
    }

    private func user(_ call: APICall, _ name: String, rule: String) throws -> User {
        guard let user = UserID(call.parameter(name)).flatMap({ identity.directory.state.users[$0] }) else {
            try call.authorize(rule)
            throw IdentityAPI.notFound("user", call.parameter(name))
        }
        try call.authorize(rule, domain: user.domain, user: user.id)
        return user
    }

    private func group(_ call: APICall, rule: String) throws -> Group {
        guard let group = identity.directory.state.groups[call.parameter("key")] else {
            try call.authorize(rule)
            throw IdentityAPI.notFound("group", call.parameter("key"))
        }
        try call.authorize(rule, domain: group.domain)
        return group
    }

    private func projects(_ call: APICall) async throws -> APIResponse {
        let user = try user(call, "key", rule: "identity:list_user_projects")
        let filters = try ListFilter.parse(call.query, names: ["name", "enabled", "domain_id"])
        let mine = AssignmentRoutes.shownProjects(of: user.id, identity.directory.state)
        return Rendering.projects(mine.filter { project in filters.allSatisfy { $0.matches(project) } }, call)
    }

    private func groups(_ call: APICall) async throws -> APIResponse {
        let user = try user(call, "key", rule: "identity:list_groups_for_user")
        let state = identity.directory.state
        let mine = (state.groupsOfUser[user.id] ?? []).compactMap { state.groups[$0] }.sorted { $0.name < $1.name }
        return Rendering.collection(
            "groups", mine.map { Rendering.single($0.rendered, "groups/\($0.key)", call) }, call)
    }

    private func members(_ call: APICall) async throws -> APIResponse {
        let group = try group(call, rule: "identity:list_users_in_group")
        let state = identity.directory.state
        let users = (state.membersOfGroup[group.key] ?? []).compactMap { state.users[$0] }.sorted { $0.name < $1.name }
        return Rendering.collection(
            "users", users.map { Rendering.single(identity.rendered($0), "users/\($0.key)", call) }, call)
    }

    private func memberOfPath(_ call: APICall) throws -> User {
        guard let user = UserID(call.parameter("user")).flatMap({ identity.directory.state.users[$0] }) else {
            throw IdentityAPI.notFound("user", call.parameter("user"))
        }
        return user
    }

    private func checkMember(_ call: APICall) async throws -> APIResponse {
        let group = try group(call, rule: "identity:list_users_in_group")
        let user = try memberOfPath(call)
        guard identity.directory.state.membersOfGroup[group.key]?.contains(user.id) == true else {
            throw APIError.notFound("User '\(user.key)' not found in group '\(group.key)'.")
        }
        return .empty(204)
    }

    private func addMember(_ call: APICall) async throws -> APIResponse {
        let rule = "identity:add_user_to_group"
        let group = try group(call, rule: rule)
        let user = try memberOfPath(call)
        // A domain's manager deals with the people of the domain only.
        try call.authorize(rule, domain: user.domain)
        let state = identity.directory.state
        try IdentityPolicy.requireMayChange(
            holding: state.assignments[.group(group.key)] ?? [], state, call, rule: rule)
        try await identity.change(call, target: "\(group.key)/\(user.key)") { transaction in
            try IdentityStore.addMember(user.id, to: group.key, in: transaction)
        } apply: {
            $0.addMember(user.id, to: group.key)
        }
        return .empty(204)
    }

    private func removeMember(_ call: APICall) async throws -> APIResponse {
        let group = try group(call, rule: "identity:remove_user_from_group")
        let user = try memberOfPath(call)
        guard identity.directory.state.membersOfGroup[group.key]?.contains(user.id) == true else {
            throw APIError.notFound("User '\(user.key)' not found in group '\(group.key)'.")
        }
        try await identity.change(call, target: "\(group.key)/\(user.key)") { transaction in
            try IdentityStore.removeMember(user.id, from: group.key, in: transaction)
        } apply: {
            $0.removeMember(user.id, from: group.key)
        }
        return .empty(204)
    }
}
