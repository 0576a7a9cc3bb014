import CoordinatorPlatform

/// Decides how far a new trust may go. Pure.
enum TrustPlanner {
    /// What a request says of passing the trust on.
    struct Request: Sendable {
        var allowsRedelegation: Bool
        /// `nil` where nothing is said.
        var redelegationCount: Int64?
    }

    /// - Parameters:
    ///   - trust: As asked for, without its redelegation.
    ///   - chain: The trust it is made from and those that one was made from, the nearest first; empty for a first one.
    ///   - limit: How often any trust may be passed on.
    /// - Throws: ``APIError`` 400 or 403 in Keystone's words.
    static func complete(
        _ trust: Trust, _ request: Request, chain: [Trust], limit: Int64
    ) throws(APIError) -> Trust {
        var trust = trust
        let isRedelegatable = request.allowsRedelegation && request.redelegationCount != 0
        var count = request.redelegationCount
        if isRedelegatable {
            if let asked = count, asked > limit {
                throw refused
            }
            guard trust.remainingUses == nil else {
                throw .badRequest("remaining_uses must not be set if redelegation is allowed")
            }
        } else {
            count = 0
        }
        guard let source = chain.first else {
            trust.redelegationCount = count ?? limit
            return trust
        }
        trust.redelegatedFrom = source.key
        let left = source.redelegationCount - 1
        if isRedelegatable, let asked = request.redelegationCount, asked != left { throw refused }
        trust.redelegationCount = count ?? left
        for link in chain { trust = try checked(trust, against: link, limit: limit) }
        return trust
    }

    private static func checked(_ trust: Trust, against link: Trust, limit: Int64) throws(APIError) -> Trust {
        var trust = trust
        guard (1...limit).contains(link.redelegationCount), trust.remainingUses == nil else { throw refused }
        // The trustor's roles elsewhere were never handed over.
        guard trust.project == link.project else { throw refused }
        if let end = trust.expiresAt {
            if let last = link.expiresAt, last < end { throw refused }
        } else {
            trust.expiresAt = link.expiresAt
        }
        guard Set(trust.roles).isSubset(of: link.roles), link.isImpersonating || !trust.isImpersonating else {
            throw refused
        }
        return trust
    }

    private static let refused = APIError.forbidden("You are not authorized to perform the requested action.")
}
