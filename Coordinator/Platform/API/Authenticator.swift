/// Tells who a token belongs to. Called for every request, so it answers from memory.
public protocol Authenticator: Sendable {
    /// - Returns: `nil` for a token that is forged, expired or revoked.
    func authenticate(token: String) throws -> Caller?
}

/// Knows nobody: for tests of routes that need no caller.
public struct NobodyAuthenticator: Authenticator {
    public init() {}
    public func authenticate(token: String) throws -> Caller? { nil }
}
