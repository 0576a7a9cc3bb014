import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

/// What subnets may be, and how they change.
struct SubnetRuleTests {
    typealias Edit = @Sendable (inout SubnetDraft) -> Void

    private static func address(_ text: String) -> IPAddress { IPAddress(text) ?? IPAddress(family: .ipv4, bits: 0) }

    private static func range(_ first: String, _ last: String) -> AddressRange {
        AddressRange(first: address(first), last: address(last))
    }

    private static func route(_ destination: String, _ hop: String) -> HostRoute? {
        IPPrefix(destination).map { HostRoute(destination: $0, nextHop: address(hop)) }
    }

    /// A range, what else is said, and the type of the refusal.
    static let refused: [(String, String, Edit)] = [
        ("10.0.0.0/31", "InvalidInput", { _ in }), ("0.0.0.0/0", "InvalidInput", { _ in }),
        ("127.0.0.0/8", "InvalidInput", { _ in }), ("224.0.0.0/24", "InvalidInput", { _ in }),
        ("10.99.0.0/25", "InvalidInput", { _ in }), ("::/64", "InvalidInput", { _ in }),
        ("2001:db8::/127", "InvalidInput", { _ in }), ("ff00::/64", "InvalidInput", { _ in }),
        ("10.0.0.0/24", "InvalidInput", { $0.gateway = .address(address("10.0.0.0")) }),
        ("10.0.0.0/24", "InvalidInput", { $0.gateway = .address(address("10.0.0.255")) }),
        ("10.0.0.0/24", "InvalidInput", { $0.gateway = .address(address("2001:db8::1")) }),
        ("10.0.0.0/24", "InvalidInput", { $0.family = .ipv6 }),
        ("10.0.0.0/24", "InvalidInput", { $0.raMode = .slaac }),
        ("10.0.0.0/24", "InvalidInput", { $0.addressMode = .slaac }),
        ("10.0.0.0/24", "BadRequest", { $0.prefix = nil }),
        ("10.0.0.0/24", "InvalidInput", { $0.dnsServers = [address("2001:db8::1")] }),
        (
            "10.0.0.0/24", "DNSNameServersExhausted",
            { $0.dnsServers = (1...6).map { address("10.0.0.\($0)") } }
        ),
        ("10.0.0.0/24", "InvalidInput", { $0.hostRoutes = [route("2001:db8::/64", "10.0.0.9")].compactMap(\.self) }),
        ("10.0.0.0/24", "InvalidInput", { $0.hostRoutes = [route("10.9.0.0/16", "2001:db8::1")].compactMap(\.self) }),
        (
            "10.0.0.0/24", "HostRoutesExhausted",
            { $0.hostRoutes = (0...20).compactMap { route("10.\($0).0.0/16", "10.0.0.9") } }
        ),
        ("10.0.0.0/24", "GatewayConflictWithAllocationPools", { $0.pools = [range("10.0.0.1", "10.0.0.9")] }),
        ("10.0.0.0/24", "OutOfBoundsAllocationPool", { $0.pools = [range("10.0.1.2", "10.0.1.9")] }),
        ("10.0.0.0/24", "OutOfBoundsAllocationPool", { $0.pools = [range("10.0.0.9", "10.0.0.255")] }),
        ("10.0.0.0/24", "InvalidAllocationPool", { $0.pools = [range("10.0.0.9", "10.0.0.2")] }),
        ("10.0.0.0/24", "InvalidAllocationPool", { $0.pools = [range("2001:db8::2", "2001:db8::9")] }),
        (
            "10.0.0.0/24", "OverlappingAllocationPools",
            { $0.pools = [range("10.0.0.2", "10.0.0.9"), range("10.0.0.9", "10.0.0.19")] }
        ),
        ("2001:db8::/56", "InvalidInput", { $0.addressMode = .slaac }),
        ("2001:db8::/64", "InvalidInput", { ($0.addressMode, $0.raMode) = (.slaac, .dhcpv6Stateful) }),
        ("2001:db8::/64", "InvalidInput", { ($0.addressMode, $0.isDHCPEnabled) = (.slaac, false) })
    ]

    @Test("subnets that cannot work are refused with Neutron's types", arguments: refused.indices)
    func refuse(_ index: Int) async throws {
        let cloud = try await TestCloud()
        let network = try await cloud.network("10.99.0.0/24")
        let (cidr, type, edit) = Self.refused[index]
        let refusal = await cloud.refusal { service, transaction in
            var draft = SubnetDraft(project: TestCloud.project, network: network, prefix: IPPrefix(cidr))
            edit(&draft)
            return try service.createSubnet(draft, viewer: .everything, at: 2, in: transaction)
        }
        #expect(refusal == type)
        #expect(try await cloud.networkSpec(network)?.subnets.count == 1)
    }

    /// A range, what else is said, the gateway, and how many addresses ports can have and which comes first.
    static let taken: [(String, Edit, gateway: String?, count: Int, first: String)] = [
        ("10.0.0.0/29", { _ in }, "10.0.0.1", 5, "10.0.0.2"),
        ("10.0.0.0/29", { $0.gateway = SubnetChange.Gateway.none }, nil, 6, "10.0.0.1"),
        ("10.0.0.0/29", { $0.gateway = .address(address("10.0.0.6")) }, "10.0.0.6", 5, "10.0.0.1"),
        ("10.0.0.0/29", { $0.gateway = .address(address("10.0.0.3")) }, "10.0.0.3", 5, "10.0.0.1"),
        ("10.0.0.0/29", { $0.gateway = .address(address("192.0.2.1")) }, "192.0.2.1", 6, "10.0.0.1"),
        ("10.0.0.0/29", { $0.pools = [range("10.0.0.4", "10.0.0.5")] }, "10.0.0.1", 2, "10.0.0.4"),
        (
            "10.0.0.0/29", { $0.pools = [range("10.0.0.5", "10.0.0.6"), range("10.0.0.2", "10.0.0.2")] }, "10.0.0.1", 3,
            "10.0.0.5"
        ),
        ("10.0.0.0/29", { $0.pools = [] }, "10.0.0.1", 0, ""),
        ("10.0.0.0/31", { $0.isDHCPEnabled = false }, "10.0.0.0", 1, "10.0.0.1"),
        ("10.0.0.7/32", { ($0.isDHCPEnabled, $0.gateway) = (false, SubnetChange.Gateway.none) }, nil, 1, "10.0.0.7"),
        ("2001:db8::/125", { _ in }, "2001:db8::1", 6, "2001:db8::2"),
        ("2001:db8::/125", { $0.addressMode = .dhcpv6Stateful }, "2001:db8::1", 6, "2001:db8::2")
    ]

    @Test("a subnet gives out what its pools have, and no more", arguments: taken.indices)
    func pools(_ index: Int) async throws {
        let cloud = try await TestCloud()
        let (cidr, edit, gateway, count, first) = Self.taken[index]
        let network = try await cloud.network(cidr, change: edit)
        #expect(try await cloud.networkSpec(network)?.subnets.first?.gateway?.description == gateway)
        var given: [String] = []
        for _ in 0..<count { given += try await cloud.addresses(try await cloud.port(on: network)) }
        #expect(Set(given).count == count)
        #expect(given.first ?? "" == first)
        await #expect(throws: AddressRefusal.noneLeft(network)) { try await cloud.port(on: network) }
    }

    @Test("what guests are told is what the subnet says", arguments: [true, false])
    func spec(isDHCPEnabled: Bool) async throws {
        let cloud = try await TestCloud()
        let network = try await cloud.network {
            $0.dnsServers = [Self.address("10.0.0.53"), Self.address("10.0.0.54")]
            $0.hostRoutes = [Self.route("10.9.0.0/16", "10.0.0.9")].compactMap(\.self)
            $0.isDHCPEnabled = isDHCPEnabled
        }
        _ = try await cloud.reserve(server(1))
        try await cloud.bind(server(1), to: TestCloud.node1)
        let subnet = try #require(try await cloud.networkSpec(network)?.subnets.first)
        #expect(subnet.dnsServers.map(\.description) == ["10.0.0.53", "10.0.0.54"])
        #expect(subnet.hostRoutes == [Self.route("10.9.0.0/16", "10.0.0.9")])
        #expect(subnet.isDHCPEnabled == isDHCPEnabled)
        #expect((subnet.serviceAddress != nil) == isDHCPEnabled)
    }

    private func change(
        _ cloud: TestCloud, _ subnet: SubnetID, _ edit: @escaping @Sendable (inout SubnetChange) -> Void
    ) async -> String {
        await cloud.refusal { service, transaction in
            var change = SubnetChange()
            edit(&change)
            try service.updateSubnet(subnet, change, at: 3, in: transaction)
        }
    }

    @Test("a subnet in use changes with the service address, and its nodes hear of it")
    func update() async throws {
        let cloud = try await TestCloud()
        let network = try await cloud.network()
        _ = try await cloud.reserve(server(1))
        try await cloud.bind(server(1), to: TestCloud.node1)
        func current() async throws -> SubnetSpec { try #require(try await cloud.networkSpec(network)?.subnets.first) }
        let subnet = try await current().id
        let before = try #require(cloud.plan.generation(of: .network(network), on: TestCloud.node1))
        #expect(await change(cloud, subnet) { $0.isDHCPEnabled = false } == "")
        #expect(try await current().serviceAddress == nil)
        #expect(try #require(cloud.plan.generation(of: .network(network), on: TestCloud.node1)) > before)
        #expect(await change(cloud, subnet) { $0.isDHCPEnabled = true } == "")
        #expect(try await current().serviceAddress != nil)
        #expect(await change(cloud, subnet) { $0.gateway = .address(Self.address("10.0.0.7")) } != "")
        #expect(
            await change(cloud, subnet) {
                $0.gateway = .address(Self.address("10.0.0.254"))
                $0.pools = [Self.range("10.0.0.100", "10.0.0.110")]
            } == "")
        #expect(try await current().gateway == Self.address("10.0.0.254"))
        #expect(try await cloud.addresses(try await cloud.port(on: network)) == ["10.0.0.100"])
        #expect(await change(cloud, subnet) { $0.gateway = SubnetChange.Gateway.none } == "")
        #expect(try await current().gateway == nil)
    }

    @Test("a subnet goes once only the service port has an address of it; automatic addresses go along")
    func deletion() async throws {
        let cloud = try await TestCloud()
        let network = try await cloud.network()
        let automatic = try await cloud.write { service, transaction in
            var draft = SubnetDraft(project: TestCloud.project, network: network, prefix: IPPrefix("2001:db8::/64"))
            draft.addressMode = .slaac
            return try service.createSubnet(draft, viewer: .everything, at: 2, in: transaction)
        }
        let subnet = try #require(try await cloud.networkSpec(network)?.subnets.first?.id)
        let port = try await cloud.port(on: network)
        #expect(try await cloud.addresses(port).count == 2)
        #expect(await cloud.refusal { try $0.deleteSubnet(automatic, at: 3, in: $1) } == "")
        #expect(try await cloud.addresses(port) == ["10.0.0.2"])
        #expect(await cloud.refusal { try $0.deleteSubnet(subnet, at: 3, in: $1) } == "SubnetInUse")
        try await cloud.write { try $0.deletePort(port, at: 4, in: $1) }
        #expect(await cloud.refusal { try $0.deleteSubnet(subnet, at: 5, in: $1) } == "")
        #expect(await cloud.refusal { try $0.deleteSubnet(subnet, at: 5, in: $1) } == "SubnetNotFound")
        #expect(await change(cloud, subnet) { _ in } == "SubnetNotFound")
        #expect(try await cloud.networkSpec(network)?.subnets == [])
    }
}
