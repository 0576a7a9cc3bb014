import ProtocolModel

extension NetworkSpec: MessageConvertible {
    init(_ message: PBNetworkSpec) throws(WireError) {
        self.init(
            id: try NetworkID(octets: message.id, field: "network.id"),
            project: try ProjectID(octets: message.project, field: "network.project"),
            attachment: try Self.attachment(message.attachment),
            mtuBytes: try checked(message.mtuBytes, 68...65_535, field: "network.mtu_bytes"),
            subnets: try message.subnets.converted { subnet throws(WireError) in try SubnetSpec(subnet) },
            dnsDomain: message.dnsDomain,
            remotePorts: try message.remotePorts.converted { port throws(WireError) in try RemotePort(port) })
    }

    private static func attachment(_ message: PBNetworkSpec.OneOf_Attachment?) throws(WireError) -> Attachment {
        switch message {
        case .local?: return .local
        case .flat(let flat)?: return .flat(physicalNetwork: flat.physicalNetwork)
        case .vlan(let vlan)?:
            return .vlan(
                physicalNetwork: vlan.physicalNetwork,
                tag: try checked(vlan.tag, 1...4094, field: "network.vlan.tag"))
        case .vxlan(let vxlan)?:
            return .vxlan(vni: try checked(vxlan.vni, 1...16_777_215, field: "network.vxlan.vni"))
        case nil: throw .invalid("network.attachment: none or of an unknown kind")
        }
    }

    var wire: PBNetworkSpec {
        .with {
            $0.id = .init(id.octets)
            $0.project = .init(project.octets)
            switch attachment {
            case .local: $0.local = .init()
            case .flat(let physicalNetwork): $0.flat = .with { $0.physicalNetwork = physicalNetwork }
            case .vlan(let physicalNetwork, let tag):
                $0.vlan = .with {
                    $0.physicalNetwork = physicalNetwork
                    $0.tag = clamped(tag)
                }
            case .vxlan(let vni): $0.vxlan = .with { $0.vni = clamped(vni) }
            }
            $0.mtuBytes = clamped(mtuBytes)
            $0.subnets = subnets.map(\.wire)
            $0.dnsDomain = dnsDomain
            $0.remotePorts = remotePorts.map(\.wire)
        }
    }
}

extension NetworkSpec.RemotePort: MessageConvertible {
    init(_ message: PBNetworkSpec.RemotePort) throws(WireError) {
        self.init(
            mac: try MACAddress(wire: message.mac, field: "network.remote_ports.mac"),
            addresses: try message.addresses.converted { address throws(WireError) in
                try IPAddress(wire: address, field: "network.remote_ports.addresses")
            },
            tunnel: try IPAddress(wire: message.tunnel, field: "network.remote_ports.tunnel"))
    }

    var wire: PBNetworkSpec.RemotePort {
        .with {
            $0.mac = mac.bits
            $0.addresses = addresses.map { .init($0.octets) }
            $0.tunnel = .init(tunnel.octets)
        }
    }
}

extension SubnetSpec: MessageConvertible {
    init(_ message: PBSubnetSpec) throws(WireError) {
        self.init(
            id: try SubnetID(octets: message.id, field: "subnet.id"),
            prefix: try IPPrefix(message.prefix, field: "subnet.prefix"),
            gateway: message.hasGateway ? try IPAddress(wire: message.gateway, field: "subnet.gateway") : nil,
            dnsServers: try message.dnsServers.converted { server throws(WireError) in
                try IPAddress(wire: server, field: "subnet.dns_servers")
            },
            hostRoutes: try message.hostRoutes.converted { route throws(WireError) in try HostRoute(route) },
            isDHCPEnabled: message.isDhcpEnabled,
            ipv6AddressMode: message.hasIpv6AddressMode ? try IPv6Mode(message.ipv6AddressMode) : nil,
            ipv6RAMode: message.hasIpv6RaMode ? try IPv6Mode(message.ipv6RaMode) : nil,
            serviceAddress: message.hasServiceAddress
                ? try IPAddress(wire: message.serviceAddress, field: "subnet.service_address") : nil)
    }

    var wire: PBSubnetSpec {
        .with {
            $0.id = .init(id.octets)
            $0.prefix = prefix.wire
            if let gateway { $0.gateway = .init(gateway.octets) }
            $0.dnsServers = dnsServers.map { .init($0.octets) }
            $0.hostRoutes = hostRoutes.map(\.wire)
            $0.isDhcpEnabled = isDHCPEnabled
            if let ipv6AddressMode { $0.ipv6AddressMode = ipv6AddressMode.wire }
            if let ipv6RAMode { $0.ipv6RaMode = ipv6RAMode.wire }
            if let serviceAddress { $0.serviceAddress = .init(serviceAddress.octets) }
        }
    }
}

extension SubnetSpec.IPv6Mode {
    init(_ message: PBSubnetSpec.IPv6Mode) throws(WireError) {
        switch message {
        case .slaac: self = .slaac
        case .dhcpv6Stateful: self = .dhcpv6Stateful
        case .dhcpv6Stateless: self = .dhcpv6Stateless
        case .unspecified, .UNRECOGNIZED: throw .invalid("subnet IPv6 mode \(message.rawValue)")
        }
    }

    var wire: PBSubnetSpec.IPv6Mode {
        switch self {
        case .slaac: .slaac
        case .dhcpv6Stateful: .dhcpv6Stateful
        case .dhcpv6Stateless: .dhcpv6Stateless
        }
    }
}

extension HostRoute: MessageConvertible {
    init(_ message: PBSubnetSpec.HostRoute) throws(WireError) {
        self.init(
            destination: try IPPrefix(message.destination, field: "route.destination"),
            nextHop: try IPAddress(wire: message.nextHop, field: "route.next_hop"))
    }

    var wire: PBSubnetSpec.HostRoute {
        .with {
            $0.destination = destination.wire
            $0.nextHop = .init(nextHop.octets)
        }
    }
}
