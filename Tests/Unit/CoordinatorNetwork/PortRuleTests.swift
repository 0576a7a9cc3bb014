import CoordinatorFleet
import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

/// What ports may be, and how they change.
struct PortRuleTests {
    typealias Edit = @Sendable (inout PortChange) -> Void

    private static func address(_ text: String) -> IPAddress { IPAddress(text) ?? IPAddress(family: .ipv4, bits: 0) }

    private static let unknown = SubnetID(high: 5, low: 5)

    /// What is asked of a network with 10.0.0.0/24 and an automatic IPv6 subnet, and what comes of it.
    static let created: [(String, Edit, String)] = [
        ("nothing", { _ in }, "10.0.0.2 2001:db8::f816:3eff:fe12:3456"),
        ("no address", { $0.fixedIPs = [] }, ""),
        (
            "one address", { $0.fixedIPs = [.init(address: address("10.0.0.9"))] },
            "10.0.0.9 2001:db8::f816:3eff:fe12:3456"
        ),
        (
            "an address after any",
            { $0.fixedIPs = [.init(address: address("10.0.0.9")), .init(address: address("10.0.0.2"))] },
            "10.0.0.9 10.0.0.2 2001:db8::f816:3eff:fe12:3456"
        ),
        (
            "its own automatic address", { $0.fixedIPs = [.init(address: address("2001:db8::f816:3eff:fe12:3456"))] },
            "2001:db8::f816:3eff:fe12:3456"
        ),
        (
            "another automatic address", { $0.fixedIPs = [.init(address: address("2001:db8::1234"))] },
            "AllocationOnAutoAddressSubnet"
        ),
        ("an address elsewhere", { $0.fixedIPs = [.init(address: address("10.0.9.9"))] }, "InvalidIpForNetwork"),
        ("the network's address", { $0.fixedIPs = [.init(address: address("10.0.0.0"))] }, "InvalidIpForNetwork"),
        ("the broadcast address", { $0.fixedIPs = [.init(address: address("10.0.0.255"))] }, "InvalidIpForNetwork"),
        ("a taken address", { $0.fixedIPs = [.init(address: address("10.0.0.200"))] }, "IpAddressAlreadyAllocated"),
        ("an unknown subnet", { $0.fixedIPs = [.init(subnet: unknown)] }, "SubnetNotFound"),
        ("neither", { $0.fixedIPs = [.init()] }, "InvalidInput"),
        ("a taken MAC address", { $0.mac = MACAddress(bits: 0x0200_0000_0001) }, "MacAddressInUse"),
        (
            "pairs without security",
            { ($0.isSecurityEnabled, $0.pairs) = (false, [AddressPair(address: "10.0.0.0/8")]) },
            "AddressPairAndPortSecurityRequired"
        ),
        (
            "the same pair twice", { $0.pairs = [AddressPair(address: "10.0.0.7"), AddressPair(address: "10.0.0.7")] },
            "DuplicateAddressPairInRequest"
        ),
        (
            "eleven pairs", { $0.pairs = (1...11).map { AddressPair(address: "10.0.1.\($0)") } },
            "AllowedAddressPairExhausted"
        ),
        ("an unknown group", { $0.groups = [SecurityGroupID(high: 6, low: 6)] }, "SecurityGroupNotFound"),
        (
            "groups without security",
            { ($0.isSecurityEnabled, $0.groups) = (false, [SecurityGroupID(high: 6, low: 6)]) },
            "PortSecurityAndIPRequiredForSecurityGroups"
        ),
        (
            "no group, no security", { ($0.isSecurityEnabled, $0.groups) = (false, []) },
            "10.0.0.2 2001:db8::f816:3eff:fe12:3456"
        )
    ]

    /// A network with two subnets, one port at 10.0.0.200.
    private func makeNetwork(_ cloud: TestCloud) async throws -> NetworkID {
        let network = try await cloud.network()
        try await cloud.write { service, transaction in
            var draft = SubnetDraft(project: TestCloud.project, network: network, prefix: IPPrefix("2001:db8::/64"))
            draft.addressMode = .slaac
            _ = try service.createSubnet(draft, viewer: .everything, at: 1, in: transaction)
        }
        _ = try await cloud.port(on: network) {
            $0.mac = MACAddress(bits: 0x0200_0000_0001)
            $0.setAddresses([Self.address("10.0.0.200")])
        }
        return network
    }

    @Test("a new port gets what it asks for, or nothing is made", arguments: created.indices)
    func create(_ index: Int) async throws {
        let cloud = try await TestCloud()
        let network = try await makeNetwork(cloud)
        let (name, edit, result) = Self.created[index]
        let (id, refusal) = await cloud.attempt { service, transaction in
            var draft = PortDraft(project: TestCloud.project, network: network)
            draft.mac = MACAddress(bits: 0xFA16_3E12_3456)
            edit(&draft.change)
            return try service.createPort(draft, viewer: TestCloud.viewer, at: 2, in: transaction)
        }
        if let id {
            #expect(try await cloud.addresses(id).joined(separator: " ") == result, "\(name)")
        } else {
            #expect(refusal == result, "\(name)")
        }
    }

    /// A server's port on node 1.
    private func bound(_ cloud: TestCloud) async throws -> (network: NetworkID, port: PortID) {
        let network = try await cloud.network()
        let port = try #require(try await cloud.reserve(server(1)).first).port
        try await cloud.bind(server(1), to: TestCloud.node1)
        return (network, port)
    }

    private func change(_ cloud: TestCloud, _ port: PortID, _ edit: @escaping Edit) async -> String {
        await cloud.refusal { service, transaction in
            var change = PortChange()
            edit(&change)
            try service.updatePort(port, change, viewer: .everything, at: 3, in: transaction)
        }
    }

    private func spec(_ cloud: TestCloud, _ port: PortID) async throws -> PortSpec {
        guard case .port(let spec) = try await cloud.spec(.port(port), on: TestCloud.node1) else {
            throw StoreError.corrupt("node 1 does not have the port")
        }
        return spec
    }

    /// A change of a bound port, whether its node hears of it, and the refusal.
    static let changes: [(String, Edit, isTold: Bool, String)] = [
        ("nothing", { _ in }, false, ""), ("the name", { $0.name = "x" }, false, ""),
        ("down", { $0.isAdminUp = false }, true, ""),
        ("addresses", { $0.fixedIPs = [.init(address: address("10.0.0.50"))] }, true, ""),
        ("no address", { $0.fixedIPs = [] }, true, ""),
        ("the same address", { $0.fixedIPs = [.init(address: address("10.0.0.2"))] }, false, ""),
        ("pairs", { $0.pairs = [AddressPair(address: "10.0.0.60")] }, true, ""),
        ("no groups", { $0.groups = [] }, true, ""),
        ("no security", { ($0.isSecurityEnabled, $0.groups) = (false, []) }, true, ""),
        ("security off with groups", { $0.isSecurityEnabled = false }, false, "PortSecurityPortHasSecurityGroup"),
        ("another MAC address", { $0.mac = MACAddress(bits: 0x0200_0000_0009) }, false, "PortBound"),
        ("the host", { $0.host = "elsewhere" }, false, "")
    ]

    @Test("a bound port's node hears of what concerns it", arguments: changes.indices)
    func update(_ index: Int) async throws {
        let cloud = try await TestCloud()
        let port = try await bound(cloud).port
        let (name, edit, isTold, refusal) = Self.changes[index]
        let old = try await spec(cloud, port)
        let before = try #require(cloud.plan.generation(of: .port(port), on: TestCloud.node1))
        #expect(await change(cloud, port, edit) == refusal, "\(name)")
        let after = try #require(cloud.plan.generation(of: .port(port), on: TestCloud.node1))
        #expect((after > before) == isTold, "\(name)")
        #expect((try await spec(cloud, port) != old) == isTold, "\(name)")
    }

    @Test("groups come to the port's node with the port, and leave with it")
    func groups() async throws {
        let cloud = try await TestCloud()
        let port = try await bound(cloud).port
        let group = try await cloud.write {
            try $0.createGroup(SecurityGroupDraft(project: TestCloud.project, name: "web"), at: 1, in: $1)
        }
        let old = try #require(try await spec(cloud, port).securityGroups.first)
        #expect(await change(cloud, port) { $0.groups = [group, group] } == "")
        #expect(try await spec(cloud, port).securityGroups == [group])
        let keys = cloud.plan.keys(on: TestCloud.node1)
        #expect(keys.contains(.securityGroup(group)) && !keys.contains(.securityGroup(old)))
        #expect(
            await cloud.refusal { try $0.deleteGroup(group, viewer: TestCloud.viewer, in: $1) } == "SecurityGroupInUse")
        #expect(await change(cloud, port) { $0.groups = [] } == "")
        #expect(!cloud.plan.keys(on: TestCloud.node1).contains(.securityGroup(group)))
        #expect(await cloud.refusal { try $0.deleteGroup(group, viewer: TestCloud.viewer, in: $1) } == "")
    }

    @Test("an unbound port's automatic address follows its MAC address; the others stay")
    func newMAC() async throws {
        let cloud = try await TestCloud()
        let network = try await makeNetwork(cloud)
        let port = try await cloud.port(on: network) { $0.mac = MACAddress(bits: 0xFA16_3E12_3456) }
        #expect(try await cloud.addresses(port) == ["10.0.0.2", "2001:db8::f816:3eff:fe12:3456"])
        #expect(await change(cloud, port) { $0.mac = MACAddress(bits: 0xFA16_3E00_0001) } == "")
        #expect(try await cloud.addresses(port) == ["10.0.0.2", "2001:db8::f816:3eff:fe00:1"])
        #expect(await change(cloud, port) { $0.mac = MACAddress(bits: 0x0200_0000_0001) } == "MacAddressInUse")
    }

    @Test("the service port comes again while guests need it")
    func servicePort() async throws {
        let cloud = try await TestCloud()
        let network = try await bound(cloud).network
        func served() async throws -> IPAddress? { try await cloud.networkSpec(network)?.subnets.first?.serviceAddress }
        let first = try #require(try await served())
        let service = try #require(
            try await cloud.write { service, transaction in
                try transaction.query("SELECT uuid FROM network_ports WHERE device_owner = 'network:dhcp'") {
                    try $0.id(0) as PortID
                }.first
            })
        try await cloud.write { try $0.deletePort(service, at: 7, in: $1) }
        let second = try #require(try await served())
        #expect(first != second)
    }

    static let reports: [(ResourceStatus.Phase, isUp: Bool, String)] = [
        (.ready, true, "ACTIVE"), (.ready, false, "DOWN"), (.failed, true, "DOWN"), (.pending, true, "DOWN"),
        (.applying, true, "DOWN"), (.gone, true, "DOWN")
    ]

    @Test("a port is ACTIVE once its host has it and it is to be up", arguments: reports.indices)
    func statuses(_ index: Int) async throws {
        let cloud = try await TestCloud()
        let port = try await bound(cloud).port
        let (phase, isUp, status) = Self.reports[index]
        #expect(await change(cloud, port) { $0.isAdminUp = isUp } == "")
        try await cloud.report(.port(port), phase, from: TestCloud.node1)
        let service = cloud.service
        let shown = try await cloud.database.read { try service.ports(of: [server(1)], in: $0)[server(1)]?.first }
        #expect(shown?.status == status)
    }
}
