import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

/// What projects may have, and what is left of them.
struct QuotaTests {
    typealias Make = @Sendable (NetworkService, NetworkID, Int, any SQLTransaction) throws -> Void

    static let resources: [(String, Make)] = [
        (
            "network",
            { service, _, _, transaction in
                _ = try service.createNetwork(
                    NetworkDraft(project: TestCloud.project), viewer: .everything, at: 1, in: transaction)
            }
        ),
        (
            "subnet",
            { service, network, number, transaction in
                let prefix = IPPrefix("10.\(number + 1).0.0/24")
                _ = try service.createSubnet(
                    SubnetDraft(project: TestCloud.project, network: network, prefix: prefix), viewer: .everything,
                    at: 1, in: transaction)
            }
        ),
        (
            "port",
            { service, network, _, transaction in
                _ = try service.createPort(
                    PortDraft(project: TestCloud.project, network: network), viewer: TestCloud.viewer, at: 1,
                    in: transaction)
            }
        ),
        (
            "security_group",
            { service, _, number, transaction in
                _ = try service.createGroup(
                    SecurityGroupDraft(project: TestCloud.project, name: "\(number)"), at: 1, in: transaction)
            }
        )
    ]

    @Test("the last one that fits is made, the next is refused, and no limit is none", arguments: resources.indices)
    func limits(_ index: Int) async throws {
        let cloud = try await TestCloud()
        let network = try await cloud.network()
        let (name, make) = Self.resources[index]
        // There is a network with a subnet, and the default group.
        let there = name == "port" ? 0 : 1
        try await cloud.write { try $0.setQuota(there + 2, of: name, project: TestCloud.project, in: $1) }
        for number in 0..<2 { #expect(await cloud.refusal { try make($0, network, number, $1) } == "") }
        #expect(await cloud.refusal { try make($0, network, 2, $1) } == "OverQuota [\"\(name)\"]")
        try await cloud.write { try $0.setQuota(-1, of: name, project: TestCloud.project, in: $1) }
        #expect(await cloud.refusal { try make($0, network, 3, $1) } == "")
    }

    @Test("rules count one by one, and a group's own first ones with them")
    func rules() async throws {
        let cloud = try await TestCloud()
        let group = try await cloud.write {
            try $0.createGroup(SecurityGroupDraft(project: TestCloud.project, name: "web"), at: 1, in: $1)
        }
        // Four of the default group, two of the new one.
        try await cloud.write { try $0.setQuota(7, of: "security_group_rule", project: TestCloud.project, in: $1) }
        func add(_ port: Int) async -> String {
            await cloud.refusal { service, transaction in
                var draft = RuleDraft(project: TestCloud.project, group: group, direction: .ingress)
                (draft.protocolText, draft.portMin, draft.portMax) = ("tcp", port, port)
                return try service.createRule(draft, viewer: TestCloud.viewer, at: 2, in: transaction)
            }
        }
        #expect(await add(22) == "")
        #expect(await add(80) == "OverQuota [\"security_group_rule\"]")
    }

    @Test("what is not counted has no quota")
    func unknown() async throws {
        let cloud = try await TestCloud()
        #expect(
            await cloud.refusal { try $0.setQuota(1, of: "segment", project: TestCloud.project, in: $1) }
                == "QuotaResourceUnknown")
    }

    @Test("limits that were set before they stood among those of all services are kept")
    func migration() async throws {
        let database = try EmbeddedDatabase(inMemory: .init())
        let old = NetworkSlice.migrations.filter { $0.number < 4 }
        try await Migrator(PlatformMigrations.all + old).migrate(database, now: 0)
        try await database.write { transaction in
            try transaction.execute(
                "INSERT INTO network_quotas (project_id, resource, quota) VALUES (?, ?, ?)",
                [TestCloud.project.compact, "network", 0])
        }
        try await Migrator(PlatformMigrations.all + NetworkSlice.migrations).migrate(database, now: 1)
        let service = NetworkSlice(plan: RecordedPlan(), directory: FixedDirectory(count: 1)).service
        await #expect(throws: QuotaExceeded.self) {
            try await database.write {
                try service.createNetwork(NetworkDraft(project: TestCloud.project), viewer: .everything, at: 1, in: $0)
            }
        }
    }
}
