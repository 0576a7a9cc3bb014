import CoordinatorPlatform
import ProtocolModel

/// `/v3/users/{key}/credentials/OS-EC2`: key pairs for programs that speak Amazon's interfaces. They are credentials of
/// the type `ec2`.
struct EC2CredentialRoutes: Sendable {
    let identity: IdentityService

    private static let path = "/v3/users/{key}/credentials/OS-EC2"

    var all: [Route] {
        [
            Route(.get, Self.path, handler: list).asking("identity:ec2_list_credentials"),
            Route(.post, Self.path, action: "identity.ec2_credential.create", handler: create).asking(
                "identity:ec2_create_credential"),
            Route(.get, "\(Self.path)/{access}", handler: show).asking("identity:ec2_get_credential"),
            Route(.delete, "\(Self.path)/{access}", action: "identity.ec2_credential.delete", handler: delete).asking(
                "identity:ec2_delete_credential")
        ]
    }

    private func render(_ credential: StoredCredential, _ call: APICall) throws -> JSON {
        let blob = try EC2Blob(try identity.open(credential))
        let members: [String: JSON] = [
            "user_id": .string(credential.user.compact), "tenant_id": JSON(credential.project?.compact),
            "access": .string(blob.access), "secret": JSON(blob.secret), "trust_id": blob.members["trust_id"] ?? .null
        ]
        return Keystone.single(members, "users/\(credential.user.compact)/credentials/OS-EC2/\(blob.access)", call)
    }

    private func list(_ call: APICall) async throws -> APIResponse {
        let user = try call.user(identity, rule: "identity:ec2_list_credentials")
        try call.requirePrimary(identity, orElse: CredentialRoutes.delegated)
        let own = identity.directory.state.delegations.credentials(of: user.id)
            .filter { $0.type == StoredCredential.ec2 }
        return Keystone.collection("credentials", try own.map { try render($0, call) }, call)
    }

    private func create(_ call: APICall) async throws -> APIResponse {
        let key = call.parameter("key")
        try call.authorize("identity:ec2_create_credential", attributes: CredentialRoutes.attributes(key))
        let text = try Self.schema.read(try await call.json(), wording: Keystone.body)
        try call.requirePrimary(identity, orElse: CredentialRoutes.delegated)
        let access = IdentityService.newKey(), secret = IdentityService.newKey()
        let blob: JSON = ["access": .string(access), "secret": .string(secret), "trust_id": nil]
        let made = try await call.change(identity, target: { $0.key }) { edit in
            guard let user = UserID(key), edit.state.users[user] != nil else { throw IdentityAPI.notFound("user", key) }
            guard let project = ProjectID(text), edit.state.projects[project] != nil else {
                throw IdentityAPI.notFound("project", text)
            }
            return try identity.store(
                StoredCredential(
                    key: EC2Signature.credentialKey(access), user: user, project: project,
                    type: StoredCredential.ec2, sealed: []), blob: blob.text, in: &edit)
        }
        return .json(["credential": try render(made, call)], status: 201)
    }

    private static let schema = BodySchema<String>(
        blank: "", unknown: .ignored, [.required("tenant_id", \.self, .text(1...64))])

    private func credential(_ call: APICall, _ state: IdentityState, rule: String) throws -> StoredCredential {
        let key = EC2Signature.credentialKey(call.parameter("access"))
        guard let credential = state.delegations.credentials[key], credential.type == StoredCredential.ec2 else {
            throw IdentityAPI.notFound("credential", key)
        }
        try call.authorize(rule, attributes: CredentialRoutes.attributes(credential.user.compact))
        guard UserID(call.parameter("key")) == credential.user else {
            throw IdentityAPI.notFound("credential", key)
        }
        try call.requirePrimary(identity, orElse: CredentialRoutes.delegated)
        return credential
    }

    private func show(_ call: APICall) async throws -> APIResponse {
        let credential = try credential(call, identity.directory.state, rule: "identity:ec2_get_credential")
        return .json(["credential": try render(credential, call)])
    }

    private func delete(_ call: APICall) async throws -> APIResponse {
        try await call.delete(identity) { try credential(call, $0, rule: "identity:ec2_delete_credential") }
    }
}
