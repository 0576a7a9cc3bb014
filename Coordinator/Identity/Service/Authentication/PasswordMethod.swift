import CoordinatorPlatform
import ProtocolModel

/// `password`: a user's name or id and password.
struct PasswordMethod: AuthenticationMethod {
    let name = "password"
    let mark = TokenPayload.Methods.password

    func read(_ section: JSON) throws(APIError) -> any AuthenticationClaim {
        let user = try AuthenticationBody.object(section["user"], "user", in: name)
        guard let password = user["password"]?.stringValue else {
            throw AuthenticationBody.missing("password", in: "user")
        }
        return Claim(user: try UserName(user), password: password)
    }

    private struct Claim: AuthenticationClaim {
        let user: UserName
        let password: String

        func prove(_ identity: IdentityService, at now: Int64) async throws -> AuthenticationProof {
            let user = try await identity.checkPassword(password, of: user.find(identity.directory.state), at: now)
            guard !PasswordRules.isExpired(user, at: now) else {
                var refusal = IdentityService.unauthorized(claiming: user, "")
                refusal.message = "The password is expired and needs to be changed for user: \(user.key)."
                throw refusal
            }
            return AuthenticationProof(user: user, methods: .password)
        }
    }
}
