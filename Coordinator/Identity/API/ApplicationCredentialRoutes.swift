import CoordinatorPlatform
import ProtocolModel

/// `/v3/users/{key}/application_credentials`
struct ApplicationCredentialRoutes: Sendable {
    let identity: IdentityService

    private static let path = "/v3/users/{key}/application_credentials"

    var all: [Route] {
        [
            Route(.get, Self.path, handler: list).asking("identity:list_application_credentials"),
            Route(
                .post, Self.path, action: "identity.application_credential.create", bodyLimit: 256 << 10,
                handler: create
            ).asking("identity:create_application_credential"),
            Route(.get, "\(Self.path)/{credential}", handler: show).asking("identity:get_application_credential"),
            Route(
                .delete, "\(Self.path)/{credential}", action: "identity.application_credential.delete", handler: delete
            ).asking("identity:delete_application_credential")
        ]
    }

    /// Application credentials outlive what made them, so trusts and EC2 keys do not get at them.
    static func refuseDelegated(_ call: APICall, _ identity: IdentityService) throws {
        guard call.token != nil else { return }
        let token = try call.requireToken(identity)
        guard token.isPrimary || token.applicationCredential != nil else { throw IdentityService.forbidden }
    }

    private func refuseRestricted(_ call: APICall) throws {
        guard call.token != nil, let credential = try call.requireToken(identity).applicationCredential else { return }
        guard credential.isUnrestricted else {
            throw IdentityService.forbidden(
                "Using method 'application_credential' is not allowed for managing additional application credentials.")
        }
    }

    private func render(
        _ credential: ApplicationCredential, _ call: APICall, _ state: IdentityState, secret: String? = nil
    ) -> JSON {
        let roles = credential.roles.compactMap { state.roles[$0] }.map { role -> JSON in
            [
                "id": .string(role.key), "name": .string(role.name), "domain_id": JSON(role.domain),
                "description": JSON(role.description), "options": role.extra["options"] ?? [:]
            ]
        }
        var members: [String: JSON] = [
            "id": .string(credential.key), "name": .string(credential.name),
            "description": JSON(credential.description), "user_id": .string(credential.user.compact),
            "project_id": .string(credential.project.compact), "system": nil, "roles": .array(roles),
            "expires_at": JSON(credential.expiresAt.map(Timestamp.microsWithoutZone)),
            "unrestricted": .bool(credential.isUnrestricted)
        ]
        if !credential.accessRules.isEmpty {
            let rules = credential.accessRules.compactMap { state.delegations.accessRules[$0] }
            members["access_rules"] = .array(rules.map { .object($0.rendered) })
        }
        if let secret { members["secret"] = .string(secret) }
        let path = "users/\(credential.user.compact)/application_credentials/\(credential.key)"
        return Rendering.single(members, path, call)
    }

    private func list(_ call: APICall) async throws -> APIResponse {
        let user = try call.user(identity, rule: "identity:list_application_credentials")
        try Self.refuseDelegated(call, identity)
        let state = identity.directory.state
        let filters = try ListFilter.parse(call.query, names: ["name"])
        let own = state.delegations.applicationCredentials(of: user.id)
            .filter { credential in filters.allSatisfy { $0.matches(["name": .string(credential.name)]) } }
        return Rendering.collection("application_credentials", own.map { render($0, call, state) }, call)
    }

    /// The one in the path; its own user counts, whatever user the path says.
    private func credential(_ call: APICall, rule: String) throws -> ApplicationCredential {
        let key = call.parameter("credential")
        guard let credential = identity.directory.state.delegations.applicationCredentials[key] else {
            try call.authorize(rule, user: UserID(call.parameter("key")))
            throw IdentityAPI.notFound("Application Credential", key)
        }
        try call.authorize(rule, user: credential.user)
        try Self.refuseDelegated(call, identity)
        return credential
    }

    private func show(_ call: APICall) async throws -> APIResponse {
        let credential = try credential(call, rule: "identity:get_application_credential")
        return .json(["application_credential": render(credential, call, identity.directory.state)])
    }

    private func delete(_ call: APICall) async throws -> APIResponse {
        let credential = try credential(call, rule: "identity:delete_application_credential")
        try refuseRestricted(call)
        try await identity.delete(credential, call) { state in
            state.changeDelegations { $0.remove(credential) }
        }
        return .empty(204)
    }

    // MARK: - Making one

    private func create(_ call: APICall) async throws -> APIResponse {
        let user = try call.user(identity, rule: "identity:create_application_credential")
        try Self.refuseDelegated(call, identity)
        try refuseRestricted(call)
        let fields = try await IdentityService.fields(call, at: "application_credential")
        try fields.allow(only: [
            "id", "name", "description", "expires_at", "project_id", "secret", "roles", "access_rules", "unrestricted",
            "system"
        ])
        let state = identity.directory.state
        let secret = try fields.nullableString("secret").flatMap { $0 } ?? ""
        let shown = secret.isEmpty ? Self.randomSecret() : secret
        let token = try call.requireToken(identity)
        guard token.user.id == user.id else {
            throw IdentityService.forbidden("Cannot create an application credential for another user.")
        }
        guard case .project(let project) = token.payload.scope else {
            throw APIError.badRequest(
                "An application credential is made with a token for the project it is to work in.")
        }
        var credential = ApplicationCredential(
            key: IdentityService.newKey(), user: user.id, project: project,
            name: try IdentityService.name(fields),
            description: try fields.nullableString("description").flatMap { $0 }, secretHash: "",
            expiresAt: try DelegationFields.expiry(fields, now: call.now),
            isUnrestricted: try unrestricted(fields), roles: try roles(fields, token, state), accessRules: [])
        let rules = try AccessRuleRoutes.read(
            fields, for: user.id, state, userLimit: identity.settings.delegationLimit)
        credential.accessRules = rules.map(\.key)
        let own = state.delegations.applicationCredentials(of: user.id)
        guard own.count < identity.settings.delegationLimit else {
            throw APIError.forbidden(
                "Unable to create additional application credentials, maximum of "
                    + "\(identity.settings.delegationLimit) already exceeded for user.")
        }
        credential.secretHash = try await identity.hasher.hash(shown)
        try await store(credential, with: rules, call)
        let body = render(credential, call, identity.directory.state, secret: shown)
        return .json(["application_credential": body], status: 201)
    }

    private func unrestricted(_ fields: Fields) throws -> Bool {
        if fields["unrestricted"]?.isNull == true { return false }
        return try fields.optionalBool("unrestricted") ?? false
    }

    /// 64 random bytes in unpadded base64url.
    private static func randomSecret() -> String { Base64URL.encode((0..<64).map { _ in UInt8.random(in: 0...255) }) }

    /// The named roles with what they imply, or all of the token's; none that the token has not.
    private func roles(_ fields: Fields, _ token: ValidToken, _ state: IdentityState) throws -> [String] {
        let held = token.roles.map(\.key)
        guard let named = try DelegationFields.roles(fields, state), !named.isEmpty else { return held }
        let implied = state.expanded(Set(named)).subtracting(named)
            .filter { state.roles[$0]?.domain == nil }.sorted()
        let wanted = named + implied
        guard Set(wanted).isSubset(of: held) else {
            throw APIError.badRequest(
                "Invalid application credential: Cannot create an application credential with unassigned role")
        }
        return wanted
    }

    private func store(_ credential: ApplicationCredential, with rules: [AccessRuleRecord], _ call: APICall)
        async throws
    {
        let known = identity.directory.state.delegations.accessRules
        let new = rules.filter { known[$0.key] == nil }
        do {
            try await identity.change(call, target: credential.key) { transaction in
                for rule in new { try rule.insert(in: transaction) }
                try credential.insert(in: transaction)
            } apply: { state in
                state.changeDelegations { delegations in
                    for rule in new { delegations.put(rule) }
                    delegations.put(credential)
                }
            }
        } catch StoreError.duplicate {
            throw APIError.conflict(
                "Conflict occurred attempting to store application_credential - Duplicate entry found with name "
                    + "\(credential.name).")
        }
    }
}
