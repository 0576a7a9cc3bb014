/// Tells who a token belongs to. Called for every request, so it answers from memory.
public protocol Authenticator: Sendable {
    /// - Returns: `nil` for a token that is forged, expired or revoked.
    func authenticate(token: String) throws -> Caller?
    /// - Parameter serviceToken: Another service's own token, sent along when it passes a user's request on
    ///   (`X-Service-Token`): with it, the user's token may have ended meanwhile, and its access rules were checked
    ///   where the request came in.
    func authenticate(token: String, serviceToken: String?) throws -> Caller?
}

extension Authenticator {
    public func authenticate(token: String, serviceToken: String?) throws -> Caller? {
        try authenticate(token: token)
    }
}

/// Knows nobody: for tests of routes that need no caller.
public struct NobodyAuthenticator: Authenticator {
    public init() {}
    public func authenticate(token: String) throws -> Caller? { nil }
}
