import CoordinatorPlatform
import ProtocolModel

/// What the routes for delegations ask about the token that a call comes with.
extension APICall {
    /// - Throws: ``APIError`` 401 where there is no token (the operator's socket has none).
    func requireToken(_ identity: IdentityService) throws -> ValidToken {
        guard let token, let valid = identity.tokens.validate(token) else { throw IdentityService.unauthorized }
        return valid
    }

    /// Only the user in person, or the operator.
    /// - Throws: ``APIError`` 403.
    func requirePrimary(_ identity: IdentityService, orElse refusal: APIError) throws {
        guard token != nil else { return }
        guard try requireToken(identity).isPrimary else { throw refusal }
    }

    /// The user that the path is about.
    /// - Throws: ``APIError`` 404 for one that is not there, 403 for who may not know.
    func user(_ identity: IdentityService, rule: String) throws -> User {
        guard let user = UserID(parameter("key")).flatMap({ identity.directory.state.users[$0] }) else {
            try authorize(rule)
            throw IdentityAPI.notFound("user", parameter("key"))
        }
        try authorize(rule, domain: user.domain, user: user.id)
        return user
    }
}

/// Reading what several kinds of delegation have in common.
enum DelegationFields {
    /// `expires_at`: a time in the future, in UTC.
    /// - Throws: ``APIError`` 400.
    static func expiry(_ text: String?, now: Int64) throws(APIError) -> Int64? {
        guard let text, !text.isEmpty else { return nil }
        let malformed =
            " The server could not comply with the request since it is either malformed or otherwise incorrect. The "
            + "client is assumed to be in error."
        guard text.utf8.count <= 40, let time = Timestamp.parse(text) else {
            throw .badRequest("Timestamp not in expected format." + malformed)
        }
        guard time > now else { throw .badRequest("The 'expires_at' must not be before now." + malformed) }
        return time
    }

    /// A role as a body names one: by either its id or its name.
    struct RoleName: Sendable {
        var id: String?
        var name: String?
    }

    private static let role = BodySchema<RoleName>(
        blank: RoleName(), [.optional("id", \.id, .text(1...64)), .optional("name", \.name, .text(1...255))])

    static let roles = BodyFormat<[RoleName]>.list(
        of: role.format().map { role, json throws(BodyFailure) in
            guard (role.id == nil) != (role.name == nil) else {
                let fault = role.id == nil ? "does not have enough" : "has too many"
                throw BodyFailure(.sentence("\(json.pythonQuoted) \(fault) properties"), json)
            }
            return role
        }, most: 1024)

    /// - Returns: The roles' keys, each once.
    /// - Throws: ``APIError`` 404 for a role that there is not.
    static func keys(_ roles: [RoleName], _ state: IdentityState) throws(APIError) -> [String] {
        var keys: [String] = []
        for role in roles {
            let found = role.id.map { state.roles[$0] } ?? role.name.flatMap { state.role(named: $0) }
            guard let found else { throw IdentityAPI.notFound("role", role.id ?? role.name ?? "") }
            if !keys.contains(found.key) { keys.append(found.key) }
        }
        return keys
    }
}
