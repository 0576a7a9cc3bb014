import CoordinatorPlatform
import ProtocolModel

extension IdentityKinds {
    /// Users; unlike the other kinds they need the service: for passwords, and for what is remembered of them.
    static func users(_ identity: IdentityService) -> IdentityKind<User> {
        IdentityKind<User>(
            names: IdentityKind<User>.names("user", "users"),
            filters: ["name", "enabled", "domain_id", "default_project_id", "email"],
            render: { identity.rendered($0) }, schema: userSchema,
            complete: { user, old, input in
                guard let old else {
                    user.id = .random()
                    user.domain = try input.domain(user.domain)
                    user.createdAt = input.call.now
                    guard input.hash != nil else { return }
                    user = identity.replacing(input.hash, of: user, byUser: false, at: input.call.now)
                    // Nothing has been issued that could be void.
                    user.tokensValidFrom = 0
                    return
                }
                try IdentityPolicy.requireMayChange(
                    holding: input.state.assignments(of: old.id), input.state, input.call, rule: "identity:update_user")
                guard user.domain == old.domain else { throw APIError.badRequest("Cannot change Domain ID.") }
                if old.isEnabled, !user.isEnabled { user.endTokens(at: identity.tokens.bound(at: input.call.now)) }
                if input.hash != nil || input.members["password"] == .null {
                    user = identity.replacing(input.hash, of: user, byUser: false, at: input.call.now)
                }
            },
            target: { Policy.Target(domain: $0.domain, user: $0.id) },
            isListed: { user, call in
                call.query("password_expires_at").map { PasswordExpiryFilter($0)?.matches(user) ?? false } ?? true
            },
            prepare: { json in
                guard let password = json["password"]?.stringValue else { return nil }
                return try await identity.hash(password)
            },
            beforeWrite: { try identity.settle($0, in: &$1) },
            beforeDelete: { user, call, edit in
                try IdentityPolicy.requireMayChange(
                    holding: edit.state.assignments(of: user.id), edit.state, call, rule: "identity:delete_user")
                try identity.held.tidy(after: user.id, in: edit.transaction)
            })
    }

    private static let userSchema = BodySchema<User>(
        blank: .blank, unknown: .kept(\.extra),
        [
            .required("name", \.name, .identityName()), .given("description", \.description, .textOrNull()),
            .given("enabled", \.isEnabled, .flag),
            .given("domain_id", \.domain, .referenceOrEmpty),
            .given("default_project_id", \.defaultProject, .textOrNull()),
            .checked("password", .textOrNull()),
            .special("options") { json, user throws(BodyFailure) in
                user.extra["options"] = try UserOptions.merged(
                    json, over: user.extra["options"], methods: AuthenticationMethods.names)
            }
        ])
}

extension IdentityService {
    /// One that stayed away for too long counts as disabled.
    func rendered(_ user: User) -> [String: JSON] {
        var members = user.rendered
        let isInactive = PasswordRules.isInactive(
            user, directory.state.activity[user.id], settings.security, at: clock.now())
        if isInactive { members["enabled"] = false }
        return members
    }
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

    private struct PasswordChange {
        var password = ""
        var original = ""
    }

    private static let passwordSchema = BodySchema<PasswordChange>(
        blank: PasswordChange(),
        [.required("password", \.password, .text()), .required("original_password", \.original, .text())])

    /// Whoever knows the old password may set a new one; no token is needed (an expired password must be replaceable).
    private func changePassword(_ call: APICall) async throws -> APIResponse {
        let said = try await Keystone.read(Self.passwordSchema, "user", call)
        let user = UserID(call.parameter("key")).flatMap { identity.directory.state.users[$0] }
        let changed = try await identity.changePassword(said.password, from: said.original, of: user, at: call.now)
        try await call.change(identity, target: { $0.key }) { try $0.update(changed) }
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

    private func group(_ call: APICall, _ state: IdentityState, rule: String) throws -> Group {
        guard let group = state.groups[call.parameter("key")] else {
            try call.authorize(rule)
            throw IdentityAPI.notFound("group", call.parameter("key"))
        }
        try call.authorize(rule, domain: group.domain)
        return group
    }

    private func projects(_ call: APICall) async throws -> APIResponse {
        let user = try user(call, "key", rule: "identity:list_user_projects")
        let isWanted = try Keystone.filter(call, by: ["name", "enabled", "domain_id"])
        return Keystone.projects(
            AssignmentRoutes.shownProjects(of: user.id, identity.directory.state).filter(isWanted), call)
    }

    private func groups(_ call: APICall) async throws -> APIResponse {
        let user = try user(call, "key", rule: "identity:list_groups_for_user")
        let state = identity.directory.state
        let mine = (state.groupsOfUser[user.id] ?? []).compactMap { state.groups[$0] }.sorted { $0.name < $1.name }
        return Keystone.collection(
            "groups", mine.map { Keystone.single($0.rendered, "groups/\($0.key)", call) }, call)
    }

    private func members(_ call: APICall) async throws -> APIResponse {
        let state = identity.directory.state
        let group = try group(call, state, rule: "identity:list_users_in_group")
        let users = (state.membersOfGroup[group.key] ?? []).compactMap { state.users[$0] }.sorted { $0.name < $1.name }
        return Keystone.collection(
            "users", users.map { Keystone.single(identity.rendered($0), "users/\($0.key)", call) }, call)
    }

    private func memberOfPath(_ call: APICall, _ state: IdentityState) throws(APIError) -> User {
        guard let user = UserID(call.parameter("user")).flatMap({ state.users[$0] }) else {
            throw IdentityAPI.notFound("user", call.parameter("user"))
        }
        return user
    }

    private static func requireMember(_ user: User, _ group: Group, _ state: IdentityState) throws(APIError) {
        guard state.membersOfGroup[group.key]?.contains(user.id) == true else {
            throw .notFound("User '\(user.key)' not found in group '\(group.key)'.")
        }
    }

    private func checkMember(_ call: APICall) async throws -> APIResponse {
        let state = identity.directory.state
        let group = try group(call, state, rule: "identity:list_users_in_group")
        try Self.requireMember(try memberOfPath(call, state), group, state)
        return .empty(204)
    }

    private func addMember(_ call: APICall) async throws -> APIResponse {
        let rule = "identity:add_user_to_group"
        return try await call.change(
            identity,
            { state in
                let group = try group(call, state, rule: rule)
                let user = try memberOfPath(call, state)
                // A domain's manager deals with the people of the domain only.
                try call.authorize(rule, domain: user.domain)
                try IdentityPolicy.requireMayChange(
                    holding: state.assignments[.group(group.key)] ?? [], state, call, rule: rule)
                return (group: group.key, user: user.id)
            }, target: { "\($0.group)/\($0.user.compact)" }, { try $1.addMember($0.user, to: $0.group) })
    }

    private func removeMember(_ call: APICall) async throws -> APIResponse {
        try await call.change(
            identity,
            { state in
                let group = try group(call, state, rule: "identity:remove_user_from_group")
                let user = try memberOfPath(call, state)
                try Self.requireMember(user, group, state)
                return (group: group.key, user: user.id)
            }, target: { "\($0.group)/\($0.user.compact)" }, { try $1.removeMember($0.user, from: $0.group) })
    }
}
