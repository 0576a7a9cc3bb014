import AgentCore
import AgentNetlink
import ProtocolModel

/// Values that every test here starts from. The identifiers' first eleven characters show up in names.
enum Fixture {
    static func id<Resource>(_ number: UInt64, _: Resource.Type = Resource.self) -> Identifier<Resource> {
        Identifier(high: number << 32 | number << 24, low: number)
    }

    static func address(_ text: String) -> IPAddress {
        guard let address = IPAddress(text) else { preconditionFailure("\(text) is no address") }
        return address
    }

    static func prefix(_ text: String) -> IPPrefix {
        guard let prefix = IPPrefix(text) else { preconditionFailure("\(text) is no prefix") }
        return prefix
    }

    static func mac(_ text: String) -> MACAddress {
        guard let mac = MACAddress(text) else { preconditionFailure("\(text) is no MAC") }
        return mac
    }

    static func name(_ text: String) -> InterfaceName {
        guard let name = try? InterfaceName(text) else { preconditionFailure("\(text) is no interface name") }
        return name
    }

    static let subnet4 = SubnetSpec(
        id: id(0x41), prefix: prefix("10.0.0.0/24"), gateway: address("10.0.0.1"), dnsServers: [address("9.9.9.9")],
        hostRoutes: [HostRoute(destination: prefix("172.16.0.0/12"), nextHop: address("10.0.0.9"))],
        isDHCPEnabled: true, ipv6AddressMode: nil, ipv6RAMode: nil, serviceAddress: address("10.0.0.2"))

    static let subnet6 = SubnetSpec(
        id: id(0x61), prefix: prefix("2001:db8::/64"), gateway: address("2001:db8::1"), dnsServers: [], hostRoutes: [],
        isDHCPEnabled: true, ipv6AddressMode: .dhcpv6Stateful, ipv6RAMode: .dhcpv6Stateful,
        serviceAddress: address("2001:db8::2"))

    static func network(
        _ number: UInt64 = 0x1a, _ attachment: NetworkSpec.Attachment = .local, mtuBytes: Int = 1450,
        subnets: [SubnetSpec] = [subnet4, subnet6]
    ) -> NetworkSpec {
        NetworkSpec(
            id: id(number), project: id(1), attachment: attachment, mtuBytes: mtuBytes, subnets: subnets,
            dnsDomain: "example.org")
    }

    static func port(
        _ number: UInt64 = 0x2b, network: NetworkID = id(0x1a), address text: String = "10.0.0.5",
        isSecurityEnabled: Bool = true, groups: [SecurityGroupID] = [id(0x3c)]
    ) -> PortSpec {
        PortSpec(
            id: id(number), network: network, server: id(number),
            mac: MACAddress(bits: 0xFA16_3E00_0000 | number),
            fixedIPs: [
                .init(subnet: id(0x41), address: address(text)),
                .init(subnet: id(0x61), address: address("2001:db8::\(String(number, radix: 16))"))
            ],
            isAdminUp: true, isSecurityEnabled: isSecurityEnabled, securityGroups: groups, allowedPairs: [],
            hostname: "guest-\(String(number, radix: 16))")
    }

    static func rule(
        _ number: UInt64, _ direction: SecurityGroupRuleSpec.Direction, _ family: IPAddress.Family = .ipv4,
        protocolNumber: Int? = nil, _ low: Int? = nil, _ high: Int? = nil,
        remote: SecurityGroupRuleSpec.Remote = .anywhere
    ) -> SecurityGroupRuleSpec {
        SecurityGroupRuleSpec(
            id: id(number), direction: direction, family: family, protocolNumber: protocolNumber, portRangeMin: low,
            portRangeMax: high, remote: remote)
    }

    /// What the network API makes for each project: all may leave, members of the group may enter.
    static let defaultGroup = SecurityGroupSpec(
        id: id(0x3c),
        rules: [
            rule(1, .egress), rule(2, .egress, .ipv6), rule(3, .ingress, remote: .group(id(0x3c))),
            rule(4, .ingress, .ipv6, remote: .group(id(0x3c)))
        ],
        members: [address("10.0.0.5"), address("2001:db8::2b")])

    static func server(_ number: UInt64 = 0x2b, network: NetworkID = id(0x1a)) -> ServerSpec {
        ServerSpec(
            id: id(number), project: id(1), user: id(1), name: "guest", hostname: "guest-\(String(number, radix: 16))",
            number: 1, flavorName: "m1.nano", vcpus: 1, memoryMiB: 64, rootGiB: 1,
            image: ImageSpec(id: id(1), sha512: "", sizeBytes: 0, format: .raw),
            interfaces: [
                .init(
                    port: id(number), network: network, mac: MACAddress(bits: 0xFA16_3E00_0000 | number),
                    mtuBytes: 1450,
                    model: "virtio")
            ])
    }
}
