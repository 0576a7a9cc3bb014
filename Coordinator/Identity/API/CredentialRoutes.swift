import CoordinatorPlatform
import ProtocolModel

/// `/v3/credentials`: secrets that users keep with the service.
struct CredentialRoutes: Sendable {
    let identity: IdentityService

    var all: [Route] {
        [
            Route(.get, "/v3/credentials", handler: list).asking(
                "identity:list_credentials", "identity:get_credential"),
            Route(
                .post, "/v3/credentials", action: "identity.credential.create", bodyLimit: 256 << 10, handler: create
            ).asking("identity:create_credential"),
            Route(.get, "/v3/credentials/{key}", handler: show).asking("identity:get_credential"),
            Route(
                .patch, "/v3/credentials/{key}", action: "identity.credential.update", bodyLimit: 256 << 10,
                handler: update
            ).asking("identity:update_credential"),
            Route(.delete, "/v3/credentials/{key}", action: "identity.credential.delete", handler: delete).asking(
                "identity:delete_credential")
        ]
    }

    /// The longest secret taken, in bytes.
    private static let blobLimit = 64 << 10

    static let delegated = IdentityService.forbidden("Delegated tokens cannot access credentials directly")

    static func attributes(_ user: String) -> [String: String] { ["target.credential.user_id": user] }

    /// - Throws: ``APIError`` 500 for a secret whose key is gone or that somebody changed in the database.
    private func render(_ credential: StoredCredential, _ call: APICall) throws -> JSON {
        var members = credential.extra
        members["id"] = .string(credential.key)
        members["user_id"] = .string(credential.user.compact)
        members["project_id"] = JSON(credential.project?.compact)
        members["type"] = .string(credential.type)
        members["blob"] = .string(try identity.open(credential))
        return Keystone.single(members, "credentials/\(credential.key)", call)
    }

    private func list(_ call: APICall) async throws -> APIResponse {
        let caller = try call.requireCaller()
        let own = caller.scope == .system ? [:] : Self.attributes(caller.user.compact)
        try call.authorize("identity:list_credentials", attributes: own)
        // Who acts by delegation sees none, rather than being refused: the list is what may be seen.
        let isPrimary = try call.token == nil || call.requireToken(identity).isPrimary
        let isWanted = try Keystone.filter(call, by: ["user_id", "type"])
        let found = identity.directory.state.delegations.credentials.values
            .filter { credential in
                let members: [String: JSON] = [
                    "user_id": .string(credential.user.compact), "type": .string(credential.type)
                ]
                return isPrimary && isWanted(members)
                    && call.isAllowed(
                        "identity:get_credential", attributes: Self.attributes(credential.user.compact))
            }
            .sorted { $0.key < $1.key }
        return Keystone.collection("credentials", try found.map { try render($0, call) }, call)
    }

    private func credential(_ call: APICall, _ state: IdentityState, rule: String) throws -> StoredCredential {
        let key = call.parameter("key")
        guard let credential = state.delegations.credentials[key] else {
            try call.authorize(rule)
            throw IdentityAPI.notFound("credential", key)
        }
        try call.authorize(rule, attributes: Self.attributes(credential.user.compact))
        try call.requirePrimary(identity, orElse: Self.delegated)
        return credential
    }

    private func show(_ call: APICall) async throws -> APIResponse {
        let credential = try credential(call, identity.directory.state, rule: "identity:get_credential")
        return .json(["credential": try render(credential, call)])
    }

    private func delete(_ call: APICall) async throws -> APIResponse {
        try await call.delete(identity) { try credential(call, $0, rule: "identity:delete_credential") }
    }

    private struct Draft: Sendable {
        var user = ""
        var blob = ""
        var type = ""
        var project: String?
        var extra: [String: JSON] = [:]
    }

    private static let blobFormat = BodyFormat<String>.text().map { blob, json throws(BodyFailure) in
        guard blob.utf8.count <= blobLimit else { throw BodyFailure(.tooLong(most: blobLimit), json) }
        return blob
    }
    private static let owner = BodySchema<Draft>(
        blank: Draft(), unknown: .ignored, [.required("user_id", \.user, .text(1...255))])
    private static let schema = BodySchema<Draft>(
        blank: Draft(), unknown: .kept(\.extra),
        [
            .required("user_id", \.user, .text(1...255)), .required("blob", \.blob, blobFormat),
            .required("type", \.type, .text(1...255)), .given("project_id", \.project, .textOrNull())
        ])

    private func create(_ call: APICall) async throws -> APIResponse {
        // Whose it is to be comes first: nobody learns more about others' credentials than that they may not.
        let owner = try await Keystone.read(Self.owner, "credential", call).user
        try call.authorize("identity:create_credential", attributes: Self.attributes(owner))
        try call.requirePrimary(identity, orElse: Self.delegated)
        let draft = try await Keystone.read(Self.schema, "credential", call)
        if draft.project == nil, draft.type == StoredCredential.ec2 {
            throw Keystone.body(BodyFailure(.missing("project_id"), [:], path: ["credential"]))
        }
        var key = IdentityService.newKey()
        if draft.type.lowercased() == StoredCredential.ec2 {
            key = EC2Signature.credentialKey(try EC2Blob(draft.blob).access)
        }
        var extra = draft.extra
        for name in ["id", "links"] { extra.removeValue(forKey: name) }
        let made = try await call.change(identity, target: { $0.key }) { [key, extra] edit in
            guard let user = UserID(draft.user), edit.state.users[user] != nil else {
                throw IdentityAPI.notFound("user", draft.user)
            }
            var credential = StoredCredential(key: key, user: user, type: draft.type, sealed: [], extra: extra)
            if let text = draft.project {
                guard let project = ProjectID(text), edit.state.projects[project] != nil else {
                    throw IdentityAPI.notFound("project", text)
                }
                credential.project = project
            }
            return try identity.store(credential, blob: draft.blob, in: &edit)
        }
        return .json(["credential": try render(made, call)], status: 201)
    }

    /// Only the secret changes. The other members may be said, as what they are.
    private func update(_ call: APICall) async throws -> APIResponse {
        let rule = "identity:update_credential"
        let credential = try credential(call, identity.directory.state, rule: rule)
        let members = try await Keystone.read(IdentityKinds.members, "credential", call)
        let fixed: [String: JSON] = [
            "id": .string(credential.key), "type": .string(credential.type),
            "user_id": .string(credential.user.compact), "project_id": JSON(credential.project?.compact)
        ]
        for (name, value) in members where name != "blob" && fixed[name] != value {
            throw APIError.badRequest(
                "Additional properties are not allowed ('\(name)' was unexpected): only the blob of a credential can "
                    + "be changed, make another one instead.")
        }
        let blob = try await Keystone.read(
            BodySchema<String>(blank: "", unknown: .ignored, [.required("blob", \.self, Self.blobFormat)]),
            "credential", call)
        let stored = try await call.change(identity, target: { $0.key }) { edit in
            var changed = try self.credential(call, edit.state, rule: rule)
            try identity.requireSameDelegation(changed, blob)
            changed.sealed = try identity.credentialSealer.seal(blob, for: changed.key)
            try RecordBudget.requireRoom(for: changed, among: edit.state.delegations.credentials(of: changed.user))
            return try edit.update(changed)
        }
        return .json(["credential": try render(stored, call)])
    }
}

/// What an `ec2` credential holds.
struct EC2Blob: Sendable {
    let members: [String: JSON]
    let access: String

    /// What ties a key pair to a delegation; it stays as it is.
    static let fixed = ["trust_id", "app_cred_id", "access_token_id", "access_id"]

    var secret: String? { members["secret"]?.stringValue }
    /// It was made for a part of its user's rights.
    var isDelegated: Bool { Self.fixed.contains { !(members[$0] ?? .null).isNull } }

    /// - Throws: ``APIError`` 400.
    init(_ text: String) throws(APIError) {
        guard let value = try? JSON.parse(Array(text.utf8)) else { throw .badRequest("Invalid blob in credential") }
        guard case .object(let members) = value, !members.isEmpty else {
            throw AuthenticationBody.missing("blob", in: "credential")
        }
        guard let access = members["access"]?.stringValue, !access.isEmpty else {
            throw AuthenticationBody.missing("access", in: "credential")
        }
        self.members = members
        self.access = access
    }
}

extension IdentityService {
    /// Seals and stores a new credential.
    func store(
        _ credential: StoredCredential, blob: String, in edit: inout IdentityEdit
    ) throws -> StoredCredential {
        guard edit.state.delegations.credentials(of: credential.user).count < settings.delegationLimit else {
            throw APIError.forbidden(
                "Unable to create additional credentials, maximum of \(settings.delegationLimit) already exceeded for "
                    + "user.")
        }
        var stored = credential
        stored.sealed = try credentialSealer.seal(blob, for: credential.key)
        try RecordBudget.requireRoom(for: stored, among: edit.state.delegations.credentials(of: stored.user))
        do { try edit.insert(stored) } catch StoreError.duplicate {
            throw Keystone.duplicate("credential - Duplicate entry found with id \(stored.key)")
        }
        return stored
    }

    /// - Throws: ``APIError`` 400 where another secret would tie a key pair to another delegation.
    func requireSameDelegation(_ credential: StoredCredential, _ blob: String) throws {
        guard credential.type.lowercased() == StoredCredential.ec2 else { return }
        let old = try EC2Blob(try open(credential)), new = try EC2Blob(blob)
        for name in EC2Blob.fixed where old.members[name] != new.members[name] {
            throw APIError.badRequest("\(name) can not be updated for credential")
        }
    }

    /// The secret of a stored credential.
    func open(_ credential: StoredCredential) throws -> String {
        guard let blob = credentialSealer.open(credential.sealed, for: credential.key) else {
            throw StoreError.corrupt("the secret of credential \(credential.key) cannot be opened with any key")
        }
        return blob
    }
}
