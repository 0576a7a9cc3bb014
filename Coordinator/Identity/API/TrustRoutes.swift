import CoordinatorPlatform
import ProtocolModel

/// `/v3/OS-TRUST/trusts`
struct TrustRoutes: Sendable {
    let identity: IdentityService

    private static let path = "/v3/OS-TRUST/trusts"

    var all: [Route] {
        [
            Route(.get, Self.path, handler: list).asking(
                "identity:list_trusts", "identity:list_trusts_for_trustor", "identity:list_trusts_for_trustee"),
            Route(.post, Self.path, action: "identity.trust.create", bodyLimit: 256 << 10, handler: create).asking(
                "identity:create_trust"),
            Route(.get, "\(Self.path)/{key}", handler: show).asking("identity:get_trust"),
            Route(.delete, "\(Self.path)/{key}", action: "identity.trust.delete", handler: delete).asking(
                "identity:delete_trust"),
            Route(.get, "\(Self.path)/{key}/roles", handler: roles).asking("identity:list_roles_for_trust"),
            Route(.get, "\(Self.path)/{key}/roles/{role}", handler: role).asking("identity:get_role_for_trust")
        ]
    }

    private static func attributes(trustor: String? = nil, trustee: String? = nil) -> [String: String] {
        var attributes: [String: String] = [:]
        attributes["target.trust.trustor_user_id"] = trustor
        attributes["target.trust.trustee_user_id"] = trustee
        return attributes
    }

    /// An application credential manages trusts only where it is unrestricted; other delegated tokens never do, except
    /// that a trust may be passed on with a token from it.
    private func refuseDelegated(_ call: APICall) throws {
        guard call.token != nil else { return }
        let token = try call.requireToken(identity)
        if let credential = token.applicationCredential {
            guard credential.isUnrestricted else {
                throw IdentityService.forbidden(
                    "Using method 'application_credential' is not allowed for managing trusts.")
            }
            return
        }
        guard token.payload.methods.arePrimary else {
            throw IdentityService.forbidden("Delegated tokens cannot manage trusts.")
        }
    }

    // MARK: - Looking

    private func render(_ trust: Trust, _ call: APICall, _ state: IdentityState, withRoles: Bool = true) -> JSON {
        var members = trust.extra
        members["id"] = .string(trust.key)
        members["trustor_user_id"] = .string(trust.trustor.compact)
        members["trustee_user_id"] = .string(trust.trustee.compact)
        members["project_id"] = JSON(trust.project?.compact)
        members["impersonation"] = .bool(trust.isImpersonating)
        members["expires_at"] = JSON(trust.expiresAt.map(Timestamp.micros))
        members["remaining_uses"] = trust.remainingUses.map { .int($0) } ?? .null
        members["deleted_at"] = .null
        members["redelegated_trust_id"] = JSON(trust.redelegatedFrom)
        members["redelegation_count"] = .int(trust.redelegationCount)
        if withRoles {
            members["roles"] = .array(rendered(trust.roles, call, state))
            members["roles_links"] = links(trust, call)
        }
        return Keystone.single(members, "OS-TRUST/trusts/\(trust.key)", call)
    }

    private func rendered(_ keys: [String], _ call: APICall, _ state: IdentityState) -> [JSON] {
        keys.compactMap { state.roles[$0] }.map { Keystone.single($0.rendered, "roles/\($0.key)", call) }
    }

    private func links(_ trust: Trust, _ call: APICall) -> JSON {
        let own = Keystone.link(call, "OS-TRUST/trusts/\(trust.key)/roles")
        return ["self": .string(own), "next": nil, "previous": nil]
    }

    private func list(_ call: APICall) async throws -> APIResponse {
        let trustor = call.query("trustor_user_id"), trustee = call.query("trustee_user_id")
        if let trustor {
            try call.authorize("identity:list_trusts_for_trustor", attributes: Self.attributes(trustor: trustor))
        } else if let trustee {
            try call.authorize("identity:list_trusts_for_trustee", attributes: Self.attributes(trustee: trustee))
        } else {
            try call.authorize("identity:list_trusts")
        }
        try refuseDelegated(call)
        let state = identity.directory.state
        let found = state.delegations.trusts.values
            .filter { trustor == nil || $0.trustor.compact == trustor }
            .filter { trustee == nil || $0.trustee.compact == trustee }
            .sorted { $0.key < $1.key }
        return Keystone.collection("trusts", found.map { render($0, call, state, withRoles: false) }, call)
    }

    /// The one in the path; one that has ended or was used up is not there.
    private func trust(_ call: APICall, _ state: IdentityState, rule: String) throws -> Trust {
        let key = call.parameter("key")
        guard let trust = state.delegations.trusts[key], trust.isAlive(at: call.now) else {
            throw IdentityAPI.notFound("trust", key)
        }
        try call.authorize(
            rule, attributes: Self.attributes(trustor: trust.trustor.compact, trustee: trust.trustee.compact))
        try refuseDelegated(call)
        return trust
    }

    private func show(_ call: APICall) async throws -> APIResponse {
        let state = identity.directory.state
        return .json(["trust": render(try trust(call, state, rule: "identity:get_trust"), call, state)])
    }

    private func roles(_ call: APICall) async throws -> APIResponse {
        let state = identity.directory.state
        let trust = try trust(call, state, rule: "identity:list_roles_for_trust")
        return .json(["roles": .array(rendered(trust.roles, call, state)), "links": links(trust, call)])
    }

    private func role(_ call: APICall) async throws -> APIResponse {
        let state = identity.directory.state
        let trust = try trust(call, state, rule: "identity:get_role_for_trust")
        let key = call.parameter("role")
        guard trust.roles.contains(key), let role = rendered([key], call, state).first else {
            throw IdentityAPI.notFound("role", key)
        }
        return .json(["role": role])
    }

    private func delete(_ call: APICall) async throws -> APIResponse {
        try await call.delete(identity) { try trust(call, $0, rule: "identity:delete_trust") }
    }

    // MARK: - Making one

    private struct Draft: Sendable {
        var trustor = ""
        var trustee = ""
        var isImpersonating = false
        var project: String?
        var uses: Int64?
        var expiry: String?
        var roles: [DelegationFields.RoleName] = []
        var redelegation = TrustPlanner.Request(allowsRedelegation: false)
        var extra: [String: JSON] = [:]
    }

    private static let count = BodyFormat<Int64>.number(0...Int(Int32.max))
    private static let schema = BodySchema<Draft>(
        blank: Draft(), unknown: .kept(\.extra),
        [
            .required("trustor_user_id", \.trustor, .text(1...255)),
            .required("trustee_user_id", \.trustee, .text(1...255)),
            .required("impersonation", \.isImpersonating, .flag), .given("project_id", \.project, .textOrNull()),
            .given("remaining_uses", \.uses, BodyFormat<Int64>.number(1...Int(Int32.max)).nullable),
            .given("expires_at", \.expiry, .textOrNull()), .given("roles", \.roles, DelegationFields.roles),
            .given("allow_redelegation", \.redelegation.allowsRedelegation, .flag.orNull(false)),
            .given("redelegation_count", \.redelegation.redelegationCount, count.nullable)
        ])
    private static let owner = BodySchema<String>(
        blank: "", unknown: .ignored, [.required("trustor_user_id", \.self, .text(1...255))])

    private func create(_ call: APICall) async throws -> APIResponse {
        let trustor = try await Keystone.read(Self.owner, "trust", call)
        try call.authorize("identity:create_trust", attributes: Self.attributes(trustor: trustor))
        try refuseDelegated(call)
        let token = try call.requireToken(identity)
        let draft = try await Keystone.read(Self.schema, "trust", call)
        let expiry = try DelegationFields.expiry(draft.expiry, now: call.now)
        let trust = try await call.change(identity, target: { $0.key }) { edit in
            var asked = try read(draft, token, edit.state)
            asked.expiresAt = expiry
            let trust = try TrustPlanner.complete(
                asked, draft.redelegation, chain: try source(token, edit.state, at: call.now),
                limit: identity.settings.redelegationLimit)
            for old in try check(trust, edit.state, at: call.now) where edit.state.delegations.trusts[old.key] != nil {
                try edit.delete(old)
            }
            do { try edit.insert(trust) } catch StoreError.duplicate {
                throw Keystone.duplicate("trust - Duplicate entry")
            }
            return trust
        }
        return .json(["trust": render(trust, call, identity.directory.state)], status: 201)
    }

    private static let ignored = ["id", "links", "roles_links", "redelegated_trust_id", "deleted_at"]

    private func read(_ draft: Draft, _ token: ValidToken, _ state: IdentityState) throws -> Trust {
        let projectText = draft.project ?? ""
        let roles = try DelegationFields.keys(draft.roles, state)
        guard projectText.isEmpty || !roles.isEmpty else {
            throw IdentityService.forbidden("At least one role should be specified")
        }
        guard let trustee = UserID(draft.trustee), state.users[trustee] != nil else {
            throw IdentityAPI.notFound("user", draft.trustee)
        }
        var project: ProjectID?
        if !projectText.isEmpty {
            guard let found = ProjectID(projectText), state.projects[found] != nil else {
                throw IdentityAPI.notFound("project", projectText)
            }
            project = found
        }
        try requireHeld(roles, project, token, state)
        return Trust(
            key: IdentityService.newKey(), trustor: token.caller.user, trustee: trustee, project: project,
            isImpersonating: draft.isImpersonating, roles: roles, remainingUses: draft.uses, redelegationCount: 0,
            extra: draft.extra.filter { !Self.ignored.contains($0.key) })
    }

    /// Nobody gives what is not theirs; and a token that has only a part of its user's roles gives no more than that.
    private func requireHeld(_ roles: [String], _ project: ProjectID?, _ token: ValidToken, _ state: IdentityState)
        throws
    {
        guard let project else { return }
        var giver = token.caller.user
        if let trust = token.trust, let first = state.delegations.chain(of: trust)?.last { giver = first.trustor }
        var held = state.rolesIncludingDomainOwn(of: giver, at: .project(project))
        if let credential = token.applicationCredential {
            held = credential.project == project ? held.intersection(token.roles.map(\.key)) : []
        }
        for role in roles where !held.contains(role) { throw IdentityAPI.notFound("role", role) }
    }

    /// The trust that the caller acts by, and where that one comes from.
    private func source(_ token: ValidToken, _ state: IdentityState, at now: Int64) throws -> [Trust] {
        guard let trust = token.trust else { return [] }
        guard trust.isAlive(at: now), let chain = state.delegations.chain(of: trust) else {
            throw IdentityAPI.notFound("trust", trust.key)
        }
        return chain
    }

    /// - Returns: Trusts of the same trustor to make room: nobody can see or delete one that has ended, so they must
    ///   not fill up what a user may have.
    private func check(_ trust: Trust, _ state: IdentityState, at now: Int64) throws -> [Trust] {
        let same = state.delegations.trusts.values.filter { $0.trustor == trust.trustor }
        let isFull = same.count >= identity.settings.delegationLimit
        let spent = isFull ? same.filter { !$0.isAlive(at: now) } : []
        guard same.count - spent.count < identity.settings.delegationLimit else {
            throw APIError.forbidden(
                "Unable to create additional trusts, maximum of \(identity.settings.delegationLimit) already exceeded "
                    + "for user.")
        }
        // Two that end at the same moment are one that was asked for twice.
        let isDouble =
            trust.expiresAt != nil
            && same.contains {
                $0.trustee == trust.trustee && $0.project == trust.project && $0.expiresAt == trust.expiresAt
                    && $0.isImpersonating == trust.isImpersonating
            }
        guard !isDouble else {
            throw Keystone.duplicate("trust - Duplicate entry")
        }
        return spent
    }
}
