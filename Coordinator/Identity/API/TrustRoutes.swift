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
        return Rendering.single(members, "OS-TRUST/trusts/\(trust.key)", call)
    }

    private func rendered(_ keys: [String], _ call: APICall, _ state: IdentityState) -> [JSON] {
        keys.compactMap { state.roles[$0] }.map { Rendering.single($0.rendered, "roles/\($0.key)", call) }
    }

    private func links(_ trust: Trust, _ call: APICall) -> JSON {
        let own = Rendering.link(call, "OS-TRUST/trusts/\(trust.key)/roles")
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
        return Rendering.collection("trusts", found.map { render($0, call, state, withRoles: false) }, call)
    }

    /// The one in the path; one that has ended or was used up is not there.
    private func trust(_ call: APICall, rule: String) throws -> Trust {
        let key = call.parameter("key")
        let state = identity.directory.state
        guard let trust = state.delegations.trusts[key], trust.isAlive(at: call.now) else {
            throw IdentityAPI.notFound("trust", key)
        }
        try call.authorize(
            rule, attributes: Self.attributes(trustor: trust.trustor.compact, trustee: trust.trustee.compact))
        try refuseDelegated(call)
        return trust
    }

    private func show(_ call: APICall) async throws -> APIResponse {
        .json(["trust": render(try trust(call, rule: "identity:get_trust"), call, identity.directory.state)])
    }

    private func roles(_ call: APICall) async throws -> APIResponse {
        let trust = try trust(call, rule: "identity:list_roles_for_trust")
        let roles = rendered(trust.roles, call, identity.directory.state)
        return .json(["roles": .array(roles), "links": links(trust, call)])
    }

    private func role(_ call: APICall) async throws -> APIResponse {
        let trust = try trust(call, rule: "identity:get_role_for_trust")
        let key = call.parameter("role")
        guard trust.roles.contains(key), let role = rendered([key], call, identity.directory.state).first else {
            throw IdentityAPI.notFound("role", key)
        }
        return .json(["role": role])
    }

    private func delete(_ call: APICall) async throws -> APIResponse {
        let trust = try trust(call, rule: "identity:delete_trust")
        try await identity.delete(trust, call) { state in state.changeDelegations { $0.remove(trust) } }
        return .empty(204)
    }

    // MARK: - Making one

    private func create(_ call: APICall) async throws -> APIResponse {
        let fields = try await IdentityService.fields(call, at: "trust")
        let trustor = try fields.string("trustor_user_id", length: 1...255)
        try call.authorize("identity:create_trust", attributes: Self.attributes(trustor: trustor))
        try refuseDelegated(call)
        let token = try call.requireToken(identity)
        let state = identity.directory.state
        let asked = try read(fields, token, call, state)
        let trust = try TrustPlanner.complete(
            asked, try redelegation(fields), chain: try source(token, state, at: call.now),
            limit: identity.settings.redelegationLimit)
        let spent = try check(trust, state, at: call.now)
        do {
            try await identity.create(
                trust, call,
                before: { _, transaction in
                    for old in spent { try DelegationStore.delete(old, in: transaction) }
                    return { state in state.changeDelegations { for old in spent { $0.remove(old) } } }
                }
            ) { state in state.changeDelegations { $0.put(trust) } }
        } catch StoreError.duplicate {
            throw APIError.conflict("Conflict occurred attempting to store trust - Duplicate entry.")
        }
        return .json(["trust": render(trust, call, state)], status: 201)
    }

    private static let members: Set<String> = [
        "id", "links", "trustor_user_id", "trustee_user_id", "project_id", "impersonation", "roles", "roles_links",
        "expires_at", "remaining_uses", "allow_redelegation", "redelegation_count", "redelegated_trust_id", "deleted_at"
    ]

    private func read(_ fields: Fields, _ token: ValidToken, _ call: APICall, _ state: IdentityState) throws -> Trust {
        let trusteeText = try fields.string("trustee_user_id", length: 1...255)
        guard let impersonation = try fields.optionalBool("impersonation") else {
            throw fields.missing("impersonation")
        }
        let projectText = try fields.nullableString("project_id").flatMap { $0 } ?? ""
        let uses =
            fields["remaining_uses"]?.isNull == true
            ? nil : try fields.optionalInt("remaining_uses", in: 1...Int64(Int32.max))
        let roles = try DelegationFields.roles(fields, state) ?? []
        guard projectText.isEmpty || !roles.isEmpty else {
            throw IdentityService.forbidden("At least one role should be specified")
        }
        guard let trustee = UserID(trusteeText), state.users[trustee] != nil else {
            throw IdentityAPI.notFound("user", trusteeText)
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
            isImpersonating: impersonation, roles: roles, expiresAt: try DelegationFields.expiry(fields, now: call.now),
            remainingUses: uses, redelegatedFrom: nil, redelegationCount: 0,
            extra: IdentityService.extra(fields, known: Self.members))
    }

    private func redelegation(_ fields: Fields) throws -> TrustPlanner.Request {
        let isAllowed =
            fields["allow_redelegation"]?.isNull == true
            ? false : try fields.optionalBool("allow_redelegation") ?? false
        let count =
            fields["redelegation_count"]?.isNull == true
            ? nil : try fields.optionalInt("redelegation_count", in: 0...Int64(Int32.max))
        return TrustPlanner.Request(allowsRedelegation: isAllowed, redelegationCount: count)
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
            throw APIError.conflict("Conflict occurred attempting to store trust - Duplicate entry.")
        }
        return spent
    }
}
