import CoordinatorFleet
import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

/// Rules that refer to other groups: whose members which node must know.
struct RemoteGroupTests {
    /// A server of group `web` on node 1 and one of group `client` on node 2.
    private struct Setting {
        var cloud: TestCloud
        var web: SecurityGroupID
        var client: SecurityGroupID
    }

    private func makeSetting() async throws -> Setting {
        let cloud = try await TestCloud()
        _ = try await cloud.network()
        let service = cloud.service
        let (web, client) = try await cloud.database.write { transaction in
            try (
                service.createGroup(
                    SecurityGroupDraft(project: TestCloud.project, name: "web"), at: 1, in: transaction),
                service.createGroup(
                    SecurityGroupDraft(project: TestCloud.project, name: "client"), at: 1, in: transaction)
            )
        }
        for (number, name) in [(1, "web"), (2, "client")] {
            _ = try await cloud.reserve(server(number), .interfaces([], securityGroups: [name]))
            try await cloud.bind(server(number), to: FixedDirectory.id(number))
        }
        return Setting(cloud: cloud, web: web, client: client)
    }

    private func addRule(_ setting: Setting) async throws -> SecurityGroupRuleID {
        let service = setting.cloud.service
        return try await setting.cloud.database.write { transaction in
            var draft = RuleDraft(project: TestCloud.project, group: setting.web, direction: .ingress)
            draft.remoteGroup = setting.client
            return try service.createRule(
                draft, viewer: Viewer(isAdmin: false, project: TestCloud.project), at: 2, in: transaction)
        }
    }

    private func spec(_ setting: Setting, _ group: SecurityGroupID, on node: NodeID) async throws -> SecurityGroupSpec?
    {
        guard case .securityGroup(let spec) = try await setting.cloud.spec(.securityGroup(group), on: node) else {
            return nil
        }
        return spec
    }

    @Test("a group's name is told to the nodes of its members, and again when it changes")
    func renamed() async throws {
        let setting = try await makeSetting()
        #expect(try await spec(setting, setting.web, on: TestCloud.node1)?.name == "web")
        let web = ResourceKey.securityGroup(setting.web)
        let before = try #require(setting.cloud.plan.generation(of: web, on: TestCloud.node1))
        for (name, times) in [("front", 1), ("front", 1)] {
            try await setting.cloud.write { service, transaction in
                try service.updateGroup(
                    setting.web, SecurityGroupDraft(project: TestCloud.project, name: name), at: 3, in: transaction)
            }
            #expect(setting.cloud.plan.generation(of: web, on: TestCloud.node1) == before + Int64(times))
        }
        #expect(try await spec(setting, setting.web, on: TestCloud.node1)?.name == "front")
    }

    @Test("a rule that refers to a group brings it to the nodes of the rule's group, members only, and takes it along")
    func ruleComesAndGoes() async throws {
        let setting = try await makeSetting()
        let plan = setting.cloud.plan
        let client = ResourceKey.securityGroup(setting.client)
        #expect(!plan.keys(on: TestCloud.node1).contains(client))
        #expect(try await spec(setting, setting.client, on: TestCloud.node2)?.members == [])
        let rule = try await addRule(setting)
        #expect(plan.keys(on: TestCloud.node1).contains(client))
        #expect(!plan.keys(on: TestCloud.node2).contains(.securityGroup(setting.web)))
        let remote = try #require(try await spec(setting, setting.client, on: TestCloud.node1))
        #expect(remote.rules.isEmpty)
        #expect(remote.members.count == 1)
        #expect(try await spec(setting, setting.client, on: TestCloud.node2)?.rules.count == 2)
        let service = setting.cloud.service
        try await setting.cloud.database.write { try service.deleteRule(rule, at: 3, in: $0) }
        #expect(!plan.keys(on: TestCloud.node1).contains(client))
        #expect(plan.keys(on: TestCloud.node2).contains(client))
    }

    @Test("the last port of the rule's group takes the referred group along")
    func lastPortGoes() async throws {
        let setting = try await makeSetting()
        _ = try await addRule(setting)
        try await setting.cloud.release(server(1))
        #expect(setting.cloud.plan.keys(on: TestCloud.node1).isEmpty)
        #expect(setting.cloud.plan.keys(on: TestCloud.node2).count == 3)
        try await setting.cloud.release(server(2))
        #expect(setting.cloud.plan.keys(on: TestCloud.node2).isEmpty)
    }

    @Test("a group that is both used and referred to on a node keeps what is still needed")
    func bothWays() async throws {
        let setting = try await makeSetting()
        _ = try await addRule(setting)
        _ = try await setting.cloud.reserve(server(3), .interfaces([], securityGroups: ["client"]))
        try await setting.cloud.bind(server(3), to: TestCloud.node1)
        let client = ResourceKey.securityGroup(setting.client)
        #expect(try await spec(setting, setting.client, on: TestCloud.node1)?.rules.count == 2)
        try await setting.cloud.release(server(3))
        #expect(setting.cloud.plan.keys(on: TestCloud.node1).contains(client))
        #expect(try await spec(setting, setting.client, on: TestCloud.node1)?.rules.isEmpty ?? false)
        try await setting.cloud.release(server(1))
        #expect(setting.cloud.plan.keys(on: TestCloud.node1).isEmpty)
    }

    @Test("a removed node unbinds its ports and is not asked any more")
    func removedNode() async throws {
        let setting = try await makeSetting()
        let slice = setting.cloud.slice
        try await setting.cloud.database.write { transaction in
            for observer in slice.observers { try observer.nodeRemoved(TestCloud.node1, at: 1, in: transaction) }
        }
        try await setting.cloud.bind(server(1), to: TestCloud.node2)
        #expect(setting.cloud.plan.keys(on: TestCloud.node2).contains(.securityGroup(setting.web)))
    }
}
