import CoordinatorPlatform
import ProtocolModel
import Testing
import TestsSupportRandomness

@Suite("quota ledger")
struct QuotaLedgerTests {
    private static let project = ProjectID(high: 7, low: 7)

    private static func ledger() -> QuotaLedger {
        QuotaLedger(
            service: "test",
            [
                .init("thing", defaultLimit: 10) { project, reader in
                    try Thing.table.count(where: .equal("t.project_id", project.compact), in: reader)
                },
                .init("free", defaultLimit: -1)
            ])
    }

    private static func insert(_ count: Int, _ database: EmbeddedDatabase) async throws {
        try await database.write { transaction in
            for _ in 0..<count {
                try Thing.table.insert(Thing(id: .fresh(), project: project, name: "x"), in: transaction)
            }
        }
    }

    @Test("own limits go before defaults, and a reset brings those back")
    func limits() async throws {
        let database = try await Thing.database()
        let other = ProjectID.fresh()
        let seen = try await database.write { transaction in
            let ledger = Self.ledger()
            try ledger.set(3, of: "thing", for: Self.project, in: transaction)
            try ledger.set(4, of: "thing", for: Self.project, in: transaction)
            let set = try ledger.limits(of: Self.project, in: transaction)
            let projects = try ledger.projects(in: transaction)
            try ledger.reset(Self.project, in: transaction)
            return (set, try ledger.limits(of: other, in: transaction), projects, try ledger.projects(in: transaction))
        }
        #expect(seen.0 == ["thing": 4, "free": -1])
        #expect(seen.1 == ["thing": 10, "free": -1])
        #expect(seen.2 == [Self.project])
        #expect(seen.3 == [])
    }

    @Test(
        "as many are granted as fit, if that is enough",
        arguments: [
            (used: 0, each: 1, least: 1, most: 5, granted: 5), (8, 1, 1, 5, 2), (9, 1, 1, 1, 1), (10, 1, 1, 1, nil),
            (6, 2, 2, 3, 2), (6, 2, 3, 3, nil), (10, 0, 1, 4, 4)
        ] as [(used: Int, each: Int, least: Int, most: Int, granted: Int?)])
    func grants(used: Int, each: Int, least: Int, most: Int, granted: Int?) async throws {
        let database = try await Thing.database()
        try await Self.insert(used, database)
        let demands = [QuotaLedger.Demand("free", 1_000), .init("thing", each)]
        let result = try await database.write { transaction -> Int? in
            do {
                return try Self.ledger().grant(
                    demands, atLeast: least, atMost: most, for: Self.project, in: transaction)
            } catch let error as QuotaExceeded {
                #expect(error.excesses == [.init(name: "thing", wanted: each * least, used: used, limit: 10)])
                return nil
            }
        }
        #expect(result == granted)
    }

    @Test("concurrent claims never give more than the limit")
    func concurrent() async throws {
        let database = try await Thing.database()
        let granted = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    do {
                        try await database.write { transaction in
                            try Self.ledger().claim("thing", for: Self.project, in: transaction)
                            try Thing.table.insert(
                                Thing(id: .fresh(), project: Self.project, name: "x"), in: transaction)
                        }
                        return true
                    } catch { return false }
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(granted == 10)
    }
}

@Suite("tag set")
struct TagSetTests {
    @Test("a resource has fifty tags and no more, however they come")
    func bound() async throws {
        let database = try await Thing.database()
        let id = Identifier<Thing.ThingTag>.fresh()
        try await database.write { transaction in
            for number in 0..<TagSet.most { try Thing.tags.add("t\(number)", to: id, in: transaction) }
            #expect(try !Thing.tags.add("t0", to: id, in: transaction))
        }
        await #expect(throws: TooManyTags.self) {
            try await database.write { try Thing.tags.add("one more", to: id, in: $0) }
        }
        let count = try await database.read { try Thing.tags.tags(of: id, in: $0).count }
        #expect(count == TagSet.most)
    }
}
