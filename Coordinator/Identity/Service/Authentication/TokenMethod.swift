import CoordinatorPlatform
import ProtocolModel

/// `token`: a token the user has already, for another scope.
struct TokenMethod: AuthenticationMethod {
    let name = "token"
    let mark = TokenPayload.Methods.token

    func read(_ section: JSON) throws(APIError) -> any AuthenticationClaim {
        guard let id = section["id"]?.stringValue else { throw AuthenticationBody.missing("id", in: name) }
        return Claim(token: id)
    }

    private struct Claim: AuthenticationClaim {
        let token: String

        func prove(_ identity: IdentityService, at now: Int64) async throws -> AuthenticationProof {
            guard let old = identity.tokens.validate(token) else { throw TokenService.unknown }
            // Rights that were given on must not be turned into others.
            guard old.payload.trust == nil else {
                throw IdentityService.forbidden(
                    "Using trust-scoped token to create another token. Create a new trust-scoped token instead")
            }
            guard old.payload.methods.arePrimary else {
                throw IdentityService.forbidden("Using a delegated token to create another token is not allowed.")
            }
            return AuthenticationProof(
                user: old.user, methods: old.payload.methods.union(.token),
                reach: old.payload.scope == .system ? .systemOnly : .any,
                // A chain of tokens lives no longer than its first.
                expiresAt: old.payload.expiresAt, parentAudit: old.payload.parentAudit ?? old.payload.audit)
        }
    }
}
