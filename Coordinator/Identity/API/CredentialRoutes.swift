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
        return Rendering.single(members, "credentials/\(credential.key)", call)
    }

    private func list(_ call: APICall) async throws -> APIResponse {
        let caller = try call.requireCaller()
        let own = caller.scope == .system ? [:] : Self.attributes(caller.user.compact)
        try call.authorize("identity:list_credentials", attributes: own)
        // Who acts by delegation sees none, rather than being refused: the list is what may be seen.
        let isPrimary = try call.token == nil || call.requireToken(identity).isPrimary
        let filters = try ListFilter.parse(call.query, names: ["user_id", "type"])
        let found = identity.directory.state.delegations.credentials.values
            .filter { credential in
                let members: [String: JSON] = [
                    "user_id": .string(credential.user.compact), "type": .string(credential.type)
                ]
                return isPrimary && filters.allSatisfy { $0.matches(members) }
                    && call.isAllowed(
                        "identity:get_credential", attributes: Self.attributes(credential.user.compact))
            }
            .sorted { $0.key < $1.key }
        return Rendering.collection("credentials", try found.map { try render($0, call) }, call)
    }

    private func credential(_ call: APICall, rule: String) throws -> StoredCredential {
        let key = call.parameter("key")
        guard let credential = identity.directory.state.delegations.credentials[key] else {
            try call.authorize(rule)
            throw IdentityAPI.notFound("credential", key)
        }
        try call.authorize(rule, attributes: Self.attributes(credential.user.compact))
        try call.requirePrimary(identity, orElse: Self.delegated)
        return credential
    }

    private func show(_ call: APICall) async throws -> APIResponse {
        .json(["credential": try render(try credential(call, rule: "identity:get_credential"), call)])
    }

    private func delete(_ call: APICall) async throws -> APIResponse {
        let credential = try credential(call, rule: "identity:delete_credential")
        try await identity.delete(credential, call) { state in state.changeDelegations { $0.remove(credential) } }
        return .empty(204)
    }

    private func create(_ call: APICall) async throws -> APIResponse {
        let fields = try await IdentityService.fields(call, at: "credential")
        let userText = try fields.string("user_id", length: 1...255)
        try call.authorize("identity:create_credential", attributes: Self.attributes(userText))
        try call.requirePrimary(identity, orElse: Self.delegated)
        let blob = try Self.blob(fields)
        let type = try fields.string("type", length: 1...255)
        let state = identity.directory.state
        guard let user = UserID(userText), state.users[user] != nil else {
            throw IdentityAPI.notFound("user", userText)
        }
        var project: ProjectID?
        if let text = try fields.nullableString("project_id").flatMap({ $0 }) {
            guard let found = ProjectID(text), state.projects[found] != nil else {
                throw IdentityAPI.notFound("project", text)
            }
            project = found
        } else if type == StoredCredential.ec2 {
            throw fields.missing("project_id")
        }
        var key = IdentityService.newKey()
        if type.lowercased() == StoredCredential.ec2 { key = EC2Signature.credentialKey(try EC2Blob(blob).access) }
        var credential = StoredCredential(key: key, user: user, project: project, type: type, sealed: [])
        credential.extra = IdentityService.extra(fields, known: ["user_id", "project_id", "type", "blob"])
        try await identity.store(&credential, blob: blob, call)
        return .json(["credential": try render(credential, call)], status: 201)
    }

    private static func blob(_ fields: Fields) throws -> String {
        let blob = try fields.string("blob")
        guard blob.utf8.count <= blobLimit else {
            throw APIError.badRequest("A credential's blob has at most \(blobLimit) bytes.")
        }
        return blob
    }

    /// Only the secret changes. The other members may be said, as what they are.
    private func update(_ call: APICall) async throws -> APIResponse {
        let credential = try credential(call, rule: "identity:update_credential")
        let fields = try await IdentityService.fields(call, at: "credential")
        let fixed: [String: JSON] = [
            "id": .string(credential.key), "type": .string(credential.type),
            "user_id": .string(credential.user.compact), "project_id": JSON(credential.project?.compact)
        ]
        for (name, value) in fields.members where name != "blob" && fixed[name] != value {
            throw APIError.badRequest(
                "Additional properties are not allowed ('\(name)' was unexpected): only the blob of a credential can "
                    + "be changed, make another one instead.")
        }
        let blob = try Self.blob(fields)
        if credential.type.lowercased() == StoredCredential.ec2 {
            let old = try EC2Blob(try identity.open(credential)), new = try EC2Blob(blob)
            for name in EC2Blob.fixed where old.members[name] != new.members[name] {
                throw APIError.badRequest("\(name) can not be updated for credential")
            }
        }
        var changed = credential
        changed.sealed = try identity.credentialSealer.seal(blob, for: credential.key)
        let stored = try await identity.update(changed, call) { state, record in
            state.changeDelegations { $0.put(record) }
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
    func store(_ credential: inout StoredCredential, blob: String, _ call: APICall) async throws {
        let own = directory.state.delegations.credentials(of: credential.user)
        guard own.count < settings.delegationLimit else {
            throw APIError.forbidden(
                "Unable to create additional credentials, maximum of \(settings.delegationLimit) already exceeded for "
                    + "user.")
        }
        credential.sealed = try credentialSealer.seal(blob, for: credential.key)
        let stored = credential
        do {
            try await create(stored, call) { state in state.changeDelegations { $0.put(stored) } }
        } catch StoreError.duplicate {
            throw APIError.conflict(
                "Conflict occurred attempting to store credential - Duplicate entry found with id \(stored.key).")
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
