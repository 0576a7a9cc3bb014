import ProtocolModel

/// That a token was ended before its time.
public struct Revocation: Sendable, Hashable {
    /// When nobody could use the token any more anyway; forgotten then. Microseconds since 1970.
    public var expiresAt: Int64
    /// Microseconds since 1970; 0 for one noted before this was kept.
    public var revokedAt: Int64
    /// Whose token it was; `nil` for one noted before this was kept.
    public var user: UserID?
    /// When the directory learnt of it: nothing can have been made from the token after that. Microseconds since 1970;
    /// not stored, since after a restart it is the start.
    public var knownAt: Int64

    public init(expiresAt: Int64, revokedAt: Int64, user: UserID?, knownAt: Int64) {
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
        self.user = user
        self.knownAt = knownAt
    }
}

/// Keeps the single revocations of a user few: who revokes many tokens would fill the memory of all. Pure.
package enum RevocationPlanner {
    /// Some revocations said as one: all tokens of their user from before a moment are void.
    package struct Collapse: Sendable, Hashable {
        package var tokens: Set<AuditID>
        /// Microseconds since 1970.
        package var issuedBefore: Int64
    }

    /// - Parameters:
    ///   - held: The user's revocations that the directory knows.
    ///   - limit: How many it may know.
    /// - Returns: The older half of them once there is no room for another; `nil` before. What was made from one of
    ///   these tokens is as old as the moment at which the directory learnt of the last of them, so all that they void
    ///   stays void. Other tokens of that age are void, too, which is safe; with half of the limit in a token's
    ///   lifetime or less, none of them is alive any more.
    package static func collapse(_ held: [AuditID: Revocation], limit: Int) -> Collapse? {
        guard limit > 0, held.count >= limit else { return nil }
        let moments = held.values.map(\.knownAt).sorted()
        let last = moments[held.count - limit / 2 - 1]
        // Those of the same moment go along: the boundary voids them anyway.
        return Collapse(tokens: Set(held.filter { $0.value.knownAt <= last }.keys), issuedBefore: last + 1)
    }
}
