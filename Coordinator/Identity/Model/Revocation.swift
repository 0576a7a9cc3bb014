import ProtocolModel

/// That a token was ended before its time.
public struct Revocation: Sendable, Hashable {
    /// When nobody could use the token any more anyway; forgotten then. Microseconds since 1970.
    public var expiresAt: Int64
    /// Microseconds since 1970; 0 for one noted before this was kept.
    public var revokedAt: Int64
    /// Whose token it was; `nil` for one noted before this was kept.
    public var user: UserID?
    /// What the token was made with (``TokenPayload/delegation``); `nil` for a token of the user's own.
    public var delegation: String?
    /// The latest moment of issue that the token, or one made from it until this was noted, may bear: later than
    /// ``revokedAt`` where the clock was set back. Microseconds since 1970; `nil` for one noted before this was kept.
    public var issuedUpTo: Int64?
    /// When the directory learnt of it: nothing can have been made from the token after that. Microseconds since 1970;
    /// not stored, since after a restart it is the start.
    public var knownAt: Int64

    /// ``knownAt`` of one that the directory does not know yet.
    static let unpublished = Int64.max

    public init(
        expiresAt: Int64, revokedAt: Int64, user: UserID?, delegation: String?, issuedUpTo: Int64?, knownAt: Int64
    ) {
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
        self.user = user
        self.delegation = delegation
        self.issuedUpTo = issuedUpTo
        self.knownAt = knownAt
    }
}

/// That all tokens of an application credential, a trust or a user's EC2 key pairs from before a moment are void.
public struct DelegationBound: Sendable, Hashable {
    /// Microseconds since 1970.
    public var issuedBefore: Int64
    /// When nobody could use such a token any more anyway; forgotten then. Microseconds since 1970.
    public var expiresAt: Int64
}

/// Keeps the single revocations of a user few: who revokes many tokens would fill the memory of all. Pure.
package enum RevocationPlanner {
    /// Some revocations said as one: all tokens of their user or delegation from before a moment are void.
    package struct Collapse: Sendable, Hashable {
        package var tokens: Set<AuditID>
        /// `nil` for the user's own tokens.
        package var delegation: String?
        /// Microseconds since 1970.
        package var issuedBefore: Int64
    }

    /// How many limits' worth of revocations the delegated tokens of a user may have before each delegation keeps only
    /// the last ones: there may be a thousand delegations.
    private static let delegatedShare = 4

    /// Makes room for one more. What revokes delegated tokens pushes out only revocations of the same delegation: who
    /// was given a part of somebody's rights does not end that user's other tokens.
    /// - Parameters:
    ///   - held: The user's revocations that the directory knows.
    ///   - delegation: Of the token that is to be revoked.
    ///   - limit: How many it may know of the user's own tokens, and of those of each delegation.
    /// - Returns: `nil` where there is room.
    package static func collapse(_ held: [AuditID: Revocation], delegation: String?, limit: Int) -> Collapse? {
        let delegated = held.values.count { $0.delegation != nil }
        let isCrowded = delegation != nil && delegated >= delegatedShare * limit
        return collapse(
            held.filter { $0.value.delegation == delegation }, limit: isCrowded ? min(2, limit) : limit)
    }

    /// - Returns: The older half of them once there is no room for another; `nil` before. What was made from one of
    ///   these tokens is as old as the moment at which the directory learnt of the last of them, or as the last token
    ///   issued until then, so all that they void stays void. Other tokens of that age are void, too, which is safe;
    ///   with half of the limit in a token's lifetime or less, none of them is alive any more. Those of which nobody
    ///   knows what they void stay single, and do not count.
    package static func collapse(_ held: [AuditID: Revocation], limit: Int) -> Collapse? {
        let reach = held.compactMapValues { revocation in
            revocation.issuedUpTo.map { max(revocation.knownAt, $0) }
        }
        guard limit > 0, reach.count >= limit else { return nil }
        let moments = reach.values.sorted()
        let last = moments[reach.count - limit / 2 - 1]
        // Those of the same moment go along: the boundary voids them anyway.
        let gone = Set(reach.filter { $0.value <= last }.keys)
        return Collapse(
            tokens: gone, delegation: gone.first.flatMap { held[$0]?.delegation }, issuedBefore: last + 1)
    }
}
