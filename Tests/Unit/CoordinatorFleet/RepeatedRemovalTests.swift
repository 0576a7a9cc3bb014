import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("removals whose end was not reported")
struct RepeatedRemovalTests {
    static let node = NodeID(high: 1, low: 1)
    let plans = PlanService(sessions: SessionRegistry(startedAt: 0))

    @Test("are asked for anew at a session's beginning, and nothing else is")
    func repeated() async throws {
        let database = try await FleetFixture.database(with: Self.node)
        let keys = (1...4).map { ResourceKey.server(ServerID(high: 0, low: $0)) }
        let plans = plans
        try await database.write { transaction in
            // Heard of and not reported; wanted; heard of and reported; not heard of yet.
            try plans.remove(keys[0], from: Self.node, in: transaction)
            try plans.put(keys[1], on: Self.node, in: transaction)
            try plans.remove(keys[2], from: Self.node, in: transaction)
            try plans.remove(keys[3], from: Self.node, in: transaction)
            try PlanStore().delete(keys[2], node: Self.node, in: transaction)
        }
        try await plans.repeatRemovals(from: Self.node, upTo: 3, on: database)
        let changed = try await database.read { try PlanStore().changes(of: Self.node, after: 3, limit: 9, in: $0) }
        #expect(changed.map(\.key) == [keys[3], keys[0]])
        #expect(changed.map(\.generation) == [4, 5])
        #expect(changed.allSatisfy { !$0.isWanted })
    }

    @Test("nothing is written where there are none")
    func none() async throws {
        let database = try await FleetFixture.database(with: Self.node)
        let plans = plans
        try await database.write { _ = try plans.put(.server(ServerID(high: 0, low: 1)), on: Self.node, in: $0) }
        let commits = database.commits
        try await plans.repeatRemovals(from: Self.node, upTo: 9, on: database)
        #expect(database.commits == commits)
    }
}
