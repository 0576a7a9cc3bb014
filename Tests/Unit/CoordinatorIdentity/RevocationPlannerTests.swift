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
                expiresAt: .max, revokedAt: 0, user: user, knownAt: moment)
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
}
