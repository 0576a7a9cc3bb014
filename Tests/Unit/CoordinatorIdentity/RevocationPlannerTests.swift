import CoordinatorIdentity
import ProtocolModel
import Testing

@Suite("revocations of one user")
struct RevocationPlannerTests {
    private static let user = UserID(high: 1, low: 1)

    /// One revocation per moment, numbered in their order.
    private static func held(_ moments: [Int64]) -> [AuditID: Revocation] {
        var held: [AuditID: Revocation] = [:]
        for (index, moment) in moments.enumerated() {
            held[AuditID(high: 0, low: UInt64(index))] = Revocation(
                expiresAt: .max, revokedAt: 0, user: user, delegation: nil, issuedUpTo: 0, knownAt: moment)
        }
        return held
    }

    @Test(
        "the older half becomes one bound once there is no room",
        arguments: [
            // Moments, limit, the moments that go, the bound.
            ([], 4, nil, 0), ([1, 2, 3], 4, nil, 0), ([1, 2, 3, 4], 4, [1, 2], 3), ([4, 3, 2, 1], 4, [1, 2], 3),
            // What came at once goes at once.
            ([1, 5, 5, 9], 4, [1, 5, 5], 6), ([7, 7, 7, 7], 4, [7, 7, 7, 7], 8),
            // Several requests at once may have gone over the limit.
            ([1, 2, 3, 4, 5, 6, 7], 4, [1, 2, 3, 4, 5], 6), ([1], 1, [1], 2), ([1, 2, 3], 3, [1, 2], 3),
            ([1, 2], 0, nil, 0)
        ] as [([Int64], Int, [Int64]?, Int64)])
    func collapse(moments: [Int64], limit: Int, gone: [Int64]?, bound: Int64) {
        let held = Self.held(moments)
        let plan = RevocationPlanner.collapse(held, limit: limit)
        #expect(plan.map { $0.tokens.compactMap { held[$0]?.knownAt }.sorted() } == gone)
        #expect(plan.map(\.issuedBefore) == gone.map { _ in bound })
        guard let plan else { return }
        for (token, revocation) in held {
            #expect(plan.tokens.contains(token) == (revocation.knownAt < plan.issuedBefore), "nothing is let go")
        }
        #expect(held.count - plan.tokens.count <= limit / 2)
    }

    @Test(
        "the bound lies after the last token issued, also where the clock was set back, and what is not known stays",
        arguments: [
            // Known and issued, limit, numbers that go, the bound.
            ([(1, 0), (2, 0), (3, 0), (4, 0)], 4, [0, 1], 3),
            ([(1, 90), (2, 0), (3, 0), (4, 0)], 4, [1, 2], 4), ([(1, 90), (2, 80)], 2, [1], 81),
            ([(1, 90), (2, 90)], 2, [0, 1], 91), ([(1, 90)], 1, [0], 91), ([(5, 3)], 1, [0], 6),
            ([(1, nil), (2, nil)], 2, nil, 0), ([(1, nil), (2, 0), (3, 0)], 2, [1], 3)
        ] as [([(Int64, Int64?)], Int, [UInt64]?, Int64)])
    func clock(moments: [(Int64, Int64?)], limit: Int, gone: [UInt64]?, bound: Int64) {
        var held = Self.held(moments.map(\.0))
        for (index, moment) in moments.enumerated() {
            held[AuditID(high: 0, low: UInt64(index))]?.issuedUpTo = moment.1
        }
        let plan = RevocationPlanner.collapse(held, limit: limit)
        #expect(plan.map { $0.tokens.map(\.low).sorted() } == gone)
        #expect(plan?.issuedBefore == gone.map { _ in bound })
        for token in plan?.tokens ?? [] {
            #expect(max(held[token]?.knownAt ?? .max, held[token]?.issuedUpTo ?? .max) < bound, "void still")
        }
    }

    @Test(
        "each delegation has room of its own, and pushes out only its own",
        arguments: [
            // Of the user, of delegations a, b and c; limit; who revokes; whose go, and how many.
            ([3, 4, 0, 0], 4, "a", "a", 2), ([4, 3, 0, 0], 4, "a", nil, 0), ([4, 3, 0, 0], 4, nil, nil as String?, 2),
            ([3, 9, 9, 0], 4, nil, nil, 0), ([0, 4, 4, 0], 4, "c", nil, 0), ([0, 8, 7, 1], 4, "c", nil, 0),
            ([0, 8, 7, 2], 4, "c", "c", 1), ([9, 2, 0, 0], 4, "a", nil, 0)
        ] as [([Int], Int, String?, String?, Int)])
    func delegations(counts: [Int], limit: Int, revoker: String?, delegation: String?, gone: Int) {
        var held: [AuditID: Revocation] = [:]
        for (name, count) in zip([nil, "a", "b", "c"] as [String?], counts) {
            for moment in 0..<count {
                held[AuditID(high: 1, low: UInt64(held.count))] = Revocation(
                    expiresAt: .max, revokedAt: 0, user: Self.user, delegation: name, issuedUpTo: 0,
                    knownAt: Int64(moment))
            }
        }
        let plan = RevocationPlanner.collapse(held, delegation: revoker, limit: limit)
        #expect((plan?.tokens.count ?? 0) == gone)
        #expect(plan?.delegation == delegation)
        for token in plan?.tokens ?? [] { #expect(held[token]?.delegation == delegation) }
    }

    @Test(
        "a user's bound never goes back, and ends what bears it where it lies ahead",
        arguments: [(0, 5, 5), (4, 5, 5), (5, 5, 5), (9, 5, 10)] as [(Int64, Int64, Int64)])
    func monotone(old: Int64, now: Int64, expected: Int64) {
        var user = User(id: Self.user, domain: "default", name: "u", tokensValidFrom: old)
        user.endTokens(at: now)
        #expect(user.tokensValidFrom == expected)
    }
}
