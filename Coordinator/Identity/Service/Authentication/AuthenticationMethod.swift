import CoordinatorPlatform
import ProtocolModel

/// One way to prove who one is. Each has a file of its own and a line in ``AuthenticationMethods/all``.
protocol AuthenticationMethod: Sendable {
    /// As `auth.identity.methods` has it; the section with the proof has the same name.
    var name: String { get }
    /// Its mark in tokens.
    var mark: TokenPayload.Methods { get }
    /// Reads its section of `auth.identity`.
    /// - Throws: ``APIError`` 400 for one of another shape.
    func read(_ section: JSON) throws(APIError) -> any AuthenticationClaim
}

/// What somebody says of themselves, read but not believed yet.
protocol AuthenticationClaim: Sendable {
    /// - Throws: ``APIError`` 401 when it is not true.
    func prove(_ identity: IdentityService, at now: Int64) async throws -> AuthenticationProof
}

/// Who it is, and what the way it was proved allows.
struct AuthenticationProof: Sendable {
    /// What the token may be for.
    enum Reach: Sendable {
        /// Whatever the user has a role in.
        case any
        /// Not for projects and domains: a token for the system is none for what is below it.
        case systemOnly
        /// The credential's project and roles, nothing else.
        case applicationCredential(ApplicationCredential)
    }

    var user: User
    var methods: TokenPayload.Methods
    var reach = Reach.any
    /// The token must end by then: microseconds since 1970.
    var expiresAt: Int64?
    /// The first token of the chain that the new one goes on with.
    var parentAudit: AuditID?
}

/// All there are.
enum AuthenticationMethods {
    static let all: [any AuthenticationMethod] = [
        PasswordMethod(),
        TokenMethod(),
        ApplicationCredentialMethod()
    ]

    static let names = Set(all.map(\.name))

    static func named(_ name: String) -> (any AuthenticationMethod)? { all.first { $0.name == name } }
}
