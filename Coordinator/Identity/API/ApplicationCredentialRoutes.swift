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
        return Keystone.single(members, path, call)
    }

    private func list(_ call: APICall) async throws -> APIResponse {
        let user = try call.user(identity, rule: "identity:list_application_credentials")
        try Self.refuseDelegated(call, identity)
        let state = identity.directory.state
        let isWanted = try Keystone.filter(call, by: ["name"])
        let own = state.delegations.applicationCredentials(of: user.id).filter { isWanted(["name": .string($0.name)]) }
        return Keystone.collection("application_credentials", own.map { render($0, call, state) }, call)
    }

    /// The one in the path; its own user counts, whatever user the path says.
    private func credential(
        _ call: APICall, _ state: IdentityState, rule: String
    ) throws -> ApplicationCredential {
        let key = call.parameter("credential")
        guard let credential = state.delegations.applicationCredentials[key] else {
            try call.authorize(rule, user: UserID(call.parameter("key")))
            throw IdentityAPI.notFound("Application Credential", key)
        }
        try call.authorize(rule, user: credential.user)
        try Self.refuseDelegated(call, identity)
        return credential
    }

    private func show(_ call: APICall) async throws -> APIResponse {
        let state = identity.directory.state
        let credential = try credential(call, state, rule: "identity:get_application_credential")
        return .json(["application_credential": render(credential, call, state)])
    }

    private func delete(_ call: APICall) async throws -> APIResponse {
        try await call.delete(identity) { state in
            let credential = try credential(call, state, rule: "identity:delete_application_credential")
            try refuseRestricted(call)
            return credential
        }
    }

    // MARK: - Making one

    private struct Draft: Sendable {
        var name = ""
        var description: String?
        var secret = ""
        var expiry: String?
        var isUnrestricted = false
        var roles: [DelegationFields.RoleName] = []
        var rules: [AccessRuleRoutes.Draft] = []
    }

    private static let schema = BodySchema<Draft>(
        blank: Draft(),
        [
            .required("name", \.name, .identityName()), .given("description", \.description, .textOrNull()),
            .given("secret", \.secret, .text().orNull("")), .given("expires_at", \.expiry, .textOrNull()),
            .given("unrestricted", \.isUnrestricted, .flag.orNull(false)),
            .given("roles", \.roles, DelegationFields.roles), .given("access_rules", \.rules, AccessRuleRoutes.list),
            .checked("id", .any), .checked("project_id", .any), .checked("system", .any)
        ])

    private func create(_ call: APICall) async throws -> APIResponse {
        let user = try mayCreate(call)
        let wanted = try wanted(try await call.json(), user, call)
        let hash = try await identity.hasher.hash(wanted.secret)
        return answer(try await store(wanted, hash: hash, call), wanted.secret, call)
    }

    @inline(never)
    private func mayCreate(_ call: APICall) throws -> UserID {
        let user = try call.user(identity, rule: "identity:create_application_credential")
        try Self.refuseDelegated(call, identity)
        try refuseRestricted(call)
        return user.id
    }

    @inline(never)
    private func answer(_ made: ApplicationCredential, _ secret: String, _ call: APICall) -> APIResponse {
        let body = render(made, call, identity.directory.state, secret: secret)
        return .json(["application_credential": body], status: 201)
    }

    /// A credential that is to be made, and who asks for it.
    private struct Wanted: Sendable {
        var blank: ApplicationCredential
        var draft: Draft
        var token: ValidToken
        /// As it is shown, this once.
        var secret: String
    }

    /// Hashing is dear: first it is looked whether there is anything to refuse.
    @inline(never)
    private func wanted(_ body: JSON, _ user: UserID, _ call: APICall) throws -> Wanted {
        let draft = try Self.schema.read(
            body, under: "application_credential", isAlone: false, wording: Keystone.body)
        let token = try call.requireToken(identity)
        guard token.user.id == user else {
            throw IdentityService.forbidden("Cannot create an application credential for another user.")
        }
        guard case .project(let project) = token.payload.scope else {
            throw APIError.badRequest(
                "An application credential is made with a token for the project it is to work in.")
        }
        let blank = ApplicationCredential(
            key: IdentityService.newKey(), user: user, project: project, name: draft.name,
            description: draft.description, secretHash: "",
            expiresAt: try DelegationFields.expiry(draft.expiry, now: call.now),
            isUnrestricted: draft.isUnrestricted, roles: [], accessRules: [])
        _ = try complete(blank, draft, token, identity.directory.state)
        let secret = draft.secret.isEmpty ? Self.randomSecret() : draft.secret
        return Wanted(blank: blank, draft: draft, token: token, secret: secret)
    }

    private func store(_ wanted: Wanted, hash: String, _ call: APICall) async throws -> ApplicationCredential {
        try await call.change(identity, target: { $0.key }) { edit in
            var (credential, rules) = try complete(wanted.blank, wanted.draft, wanted.token, edit.state)
            credential.secretHash = hash
            do {
                for rule in rules where edit.state.delegations.accessRules[rule.key] == nil { try edit.insert(rule) }
                try edit.insert(credential)
            } catch StoreError.duplicate {
                throw Keystone.duplicate(
                    "application_credential - Duplicate entry found with name \(credential.name)")
            }
            return credential
        }
    }

    private func complete(
        _ blank: ApplicationCredential, _ draft: Draft, _ token: ValidToken, _ state: IdentityState
    ) throws(APIError) -> (credential: ApplicationCredential, rules: [AccessRuleRecord]) {
        var credential = blank
        let limit = identity.settings.delegationLimit
        credential.roles = try Self.roles(draft.roles, token, state)
        let rules = try AccessRuleRoutes.resolve(draft.rules, for: blank.user, state, userLimit: limit)
        credential.accessRules = rules.map(\.key)
        guard state.delegations.applicationCredentials(of: blank.user).count < limit else {
            throw .forbidden(
                "Unable to create additional application credentials, maximum of \(limit) already exceeded for user.")
        }
        return (credential, rules)
    }

    /// 64 random bytes in unpadded base64url.
    private static func randomSecret() -> String { Base64URL.encode((0..<64).map { _ in UInt8.random(in: 0...255) }) }

    /// The named roles with what they imply, or all of the token's; none that the token has not.
    private static func roles(
        _ given: [DelegationFields.RoleName], _ token: ValidToken, _ state: IdentityState
    ) throws(APIError) -> [String] {
        let held = token.roles.map(\.key)
        let named = try DelegationFields.keys(given, state)
        guard !named.isEmpty else { return held }
        let implied = state.expanded(Set(named)).subtracting(named)
            .filter { state.roles[$0]?.domain == nil }.sorted()
        let wanted = named + implied
        guard Set(wanted).isSubset(of: held) else {
            throw .badRequest(
                "Invalid application credential: Cannot create an application credential with unassigned role")
        }
        return wanted
    }
}
