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
    static func expiry(_ fields: Fields, now: Int64) throws(APIError) -> Int64? {
        guard let text = try fields.nullableString("expires_at").flatMap({ $0 }), !text.isEmpty else { return nil }
        let malformed =
            " The server could not comply with the request since it is either malformed or otherwise incorrect. The "
            + "client is assumed to be in error."
        guard text.utf8.count <= 40, let time = Timestamp.parse(text) else {
            throw .badRequest("Timestamp not in expected format." + malformed)
        }
        guard time > now else { throw .badRequest("The 'expires_at' must not be before now." + malformed) }
        return time
    }

    /// `roles`: objects with either an id or a name.
    /// - Returns: The roles' keys, each once; `nil` where nothing is said of them.
    /// - Throws: ``APIError`` 400, 404 for a role that there is not.
    static func roles(_ fields: Fields, _ state: IdentityState) throws(APIError) -> [String]? {
        guard let list = try fields.optionalArray("roles") else { return nil }
        var keys: [String] = []
        for item in list {
            guard case .object(let members) = item else { throw fields.wrongType("roles", item, "object") }
            let role = Fields(members, path: ["roles"])
            try role.allow(only: ["id", "name"])
            guard members.count == 1 else {
                throw fields.invalid(
                    "roles", item,
                    "\(item.pythonQuoted) \(members.isEmpty ? "does not have enough" : "has too many") properties")
            }
            var key: String
            if let id = try role.optionalString("id", length: 1...64) {
                key = id
            } else {
                let name = try role.string("name", length: 1...255)
                guard let found = state.role(named: name) else { throw IdentityAPI.notFound("role", name) }
                key = found.key
            }
            guard state.roles[key] != nil else { throw IdentityAPI.notFound("role", key) }
            if !keys.contains(key) { keys.append(key) }
        }
        return keys
    }
}
