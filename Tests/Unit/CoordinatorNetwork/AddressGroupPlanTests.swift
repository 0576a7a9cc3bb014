import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

/// What hosts are told of address groups.
struct AddressGroupPlanTests {
    @Test("a security group carries the addresses that its rules name, and its hosts hear of every change")
    func told() async throws {
        let cloud = try await RoutedCloud()
        let (project, viewer) = (TestCloud.project, RoutedCloud.admin)
        let prefixes = ["10.8.0.0/16", "fd00::/64"].compactMap { IPPrefix($0) }
        let (group, addresses) = try await cloud.write { service, transaction in
            let group = try service.createGroup(
                SecurityGroupDraft(project: project, name: "g"), at: 1, in: transaction)
            let addresses = try service.createAddressGroup(
                AddressGroupDraft(project: project, prefixes: prefixes), at: 1, in: transaction)
            var rule = RuleDraft(project: project, group: group, direction: .ingress)
            rule.remoteAddresses = addresses
            _ = try service.createRule(rule, viewer: viewer, at: 1, in: transaction)
            return (group, addresses)
        }
        let node = NodeID(high: 0, low: 1)
        let key = ResourceKey.securityGroup(group)
        _ = try await cloud.write { _, transaction in try cloud.plan.put(key, on: node, in: transaction) }
        let before = try #require(cloud.plan.generation(of: key, on: node))
        try await cloud.write { service, transaction in
            try service.removeAddresses([prefixes[1]], from: addresses, at: 2, in: transaction)
        }
        #expect(cloud.plan.generation(of: key, on: node) == before + 1)
        let told = try await cloud.read { service, reader in
            try service.tellsAddresses(of: group, in: reader)
        }
        #expect(told == [SecurityGroupSpec.AddressGroup(id: addresses, prefixes: [prefixes[0]])])
    }
}
