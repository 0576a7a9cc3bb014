import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

/// What one port may ask of the one writer.
struct FixedIPBudgetTests {
    private static func requests(_ count: Int) -> [FixedIPRequest] {
        (0..<count).map { FixedIPRequest(address: IPAddress(family: .ipv4, bits: 0x0A00_0010 + UInt128($0))) }
    }

    @Test("a port has at most five addresses that are asked for", arguments: [0, 1, 5, 6, 200])
    func limit(count: Int) async throws {
        let cloud = try await TestCloud()
        let network = try await cloud.network()
        let expected = count > 5 ? "InvalidInput" : ""
        let made = await cloud.refusal { service, transaction in
            var draft = PortDraft(project: TestCloud.project, network: network)
            draft.fixedIPs = Self.requests(count)
            return try service.createPort(draft, viewer: TestCloud.viewer, at: 1, in: transaction)
        }
        #expect(made == expected)
        let port = try await cloud.port(on: network) { $0.setAddresses([]) }
        let changed = await cloud.refusal { service, transaction in
            var change = PortChange()
            change.fixedIPs = Self.requests(count).map { request in
                FixedIPRequest(address: request.address.flatMap { $0.advanced(by: 100) })
            }
            try service.updatePort(port, change, viewer: .everything, at: 2, in: transaction)
        }
        #expect(changed == expected)
        #expect(try await cloud.addresses(port).count == (count > 5 ? 0 : count))
    }

    @Test("a subnet that is named several times gives an address each time, and what is there stays")
    func sameSubnet() async throws {
        let cloud = try await TestCloud()
        let (network, subnet) = try await cloud.write { service, transaction in
            let network = try service.createNetwork(
                NetworkDraft(project: TestCloud.project), viewer: .everything, at: 1, in: transaction)
            let draft = SubnetDraft(project: TestCloud.project, network: network, prefix: IPPrefix("10.0.0.0/24"))
            return (network, try service.createSubnet(draft, viewer: .everything, at: 1, in: transaction))
        }
        let port = try await cloud.port(on: network) {
            $0.fixedIPs = [FixedIPRequest(subnet: subnet), FixedIPRequest(subnet: subnet)]
        }
        let first = try await cloud.addresses(port)
        #expect(Set(first).count == 2)
        try await cloud.write { service, transaction in
            var change = PortChange()
            change.fixedIPs = (0..<3).map { _ in FixedIPRequest(subnet: subnet) }
            try service.updatePort(port, change, viewer: .everything, at: 2, in: transaction)
        }
        let second = try await cloud.addresses(port)
        #expect(Set(second).count == 3 && Set(second).isSuperset(of: first))
        let last = second[2]
        try await cloud.write { service, transaction in
            var change = PortChange()
            change.fixedIPs = [FixedIPRequest(subnet: subnet), FixedIPRequest(address: IPAddress(last))]
            try service.updatePort(port, change, viewer: .everything, at: 3, in: transaction)
        }
        #expect(Set(try await cloud.addresses(port)) == [first[0], last])
    }
}
