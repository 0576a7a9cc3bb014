import CoordinatorPlatform
import ProtocolModel

/// `application_credential`: its id, or its user and name, and its secret.
struct ApplicationCredentialMethod: AuthenticationMethod {
    let name = "application_credential"
    let mark = TokenPayload.Methods.applicationCredential

    func read(_ section: JSON) throws(APIError) -> any AuthenticationClaim {
        guard let secret = section["secret"]?.stringValue else {
            throw AuthenticationBody.missing("secret", in: "application credential")
        }
        if let id = AuthenticationBody.text("id", in: section) { return Claim(credential: .id(id), secret: secret) }
        guard let name = AuthenticationBody.text("name", in: section) else {
            throw AuthenticationBody.missing("id or name", in: "application credential")
        }
        let user = try AuthenticationBody.object(section["user"], "user", in: "application credential")
        return Claim(credential: .name(name, try UserName(user)), secret: secret)
    }

    private struct Claim: AuthenticationClaim {
        enum Name: Sendable {
            case id(String)
            case name(String, UserName)
        }
        let credential: Name
        let secret: String

        private func find(_ state: IdentityState) throws -> ApplicationCredential? {
            switch credential {
            case .id(let id):
                guard let found = state.delegations.applicationCredentials[id] else {
                    throw IdentityAPI.notFound("Application Credential", id)
                }
                return found
            case .name(let name, let user):
                return user.find(state).flatMap { state.delegations.applicationCredential(named: name, of: $0.id) }
            }
        }

        func prove(_ identity: IdentityService, at now: Int64) async throws -> AuthenticationProof {
            let found = try find(identity.directory.state)
            let isRight = try await identity.hasher.verify(secret, against: found?.secretHash)
            guard let found, let owner = identity.directory.state.users[found.user] else {
                throw IdentityService.unauthorized
            }
            guard isRight, found.expiresAt.map({ $0 > now }) ?? true,
                // It may have gone while the secret was being checked.
                identity.directory.state.delegations.applicationCredentials[found.key] != nil,
                identity.isUsable(owner, at: now)
            else {
                throw IdentityService.unauthorized(
                    claiming: owner, "wrong secret, or the application credential or its user is not usable")
            }
            return AuthenticationProof(
                user: owner, methods: .applicationCredential, reach: .applicationCredential(found),
                expiresAt: found.expiresAt)
        }
    }
}
