import ProtocolModel

extension RouterSpec: MessageConvertible {
    init(_ message: PBRouterSpec) throws(WireError) {
        self.init(
            id: try RouterID(octets: message.id, field: "router.id"),
            project: try ProjectID(octets: message.project, field: "router.project"), isAdminUp: message.isAdminUp,
            interfaces: try message.interfaces.converted { interface throws(WireError) in try Interface(interface) },
            gateway: message.hasGateway ? try Gateway(message.gateway) : nil,
            floatingIPs: try message.floatingIps.converted { ip throws(WireError) in try FloatingIP(ip) },
            portForwardings: try message.portForwardings.converted { forwarding throws(WireError) in
                try PortForwarding(forwarding)
            },
            routes: try message.routes.converted { route throws(WireError) in
                HostRoute(
                    destination: try IPPrefix(route.destination, field: "router.routes.destination"),
                    nextHop: try IPAddress(wire: route.nextHop, field: "router.routes.next_hop"))
            })
    }

    var wire: PBRouterSpec {
        .with {
            $0.id = .init(id.octets)
            $0.project = .init(project.octets)
            $0.isAdminUp = isAdminUp
            $0.interfaces = interfaces.map(\.wire)
            if let gateway { $0.gateway = gateway.wire }
            $0.floatingIps = floatingIPs.map(\.wire)
            $0.portForwardings = portForwardings.map(\.wire)
            $0.routes = routes.map { route in
                .with {
                    $0.destination = route.destination.wire
                    $0.nextHop = .init(route.nextHop.octets)
                }
            }
        }
    }
}

extension RouterSpec.Address: MessageConvertible {
    init(_ message: PBRouterSpec.Address) throws(WireError) {
        let address = try IPAddress(wire: message.address, field: "router.address")
        self.init(
            subnet: try SubnetID(octets: message.subnet, field: "router.address.subnet"), address: address,
            prefixLength: try checked(
                message.prefixLength, 0...address.family.bitCount, field: "router.address.prefix_length"),
            raMode: message.hasRaMode ? try SubnetSpec.IPv6Mode(message.raMode) : nil,
            dnsServers: try message.dnsServers.converted { server throws(WireError) in
                try IPAddress(wire: server, field: "router.address.dns_servers")
            },
            scope: message.hasScope ? try AddressScopeID(octets: message.scope, field: "router.address.scope") : nil)
    }

    var wire: PBRouterSpec.Address {
        .with {
            $0.subnet = .init(subnet.octets)
            $0.address = .init(address.octets)
            $0.prefixLength = clamped(prefixLength)
            if let raMode { $0.raMode = raMode.wire }
            $0.dnsServers = dnsServers.map { .init($0.octets) }
            if let scope { $0.scope = .init(scope.octets) }
        }
    }
}

extension RouterSpec.Interface: MessageConvertible {
    init(_ message: PBRouterSpec.Interface) throws(WireError) {
        self.init(
            port: try PortID(octets: message.port, field: "router.interface.port"),
            network: try NetworkID(octets: message.network, field: "router.interface.network"),
            mac: try MACAddress(wire: message.mac, field: "router.interface.mac"),
            mtuBytes: try checked(message.mtuBytes, 68...65_535, field: "router.interface.mtu_bytes"),
            addresses: try message.addresses.converted { address throws(WireError) in
                try RouterSpec.Address(address)
            })
    }

    var wire: PBRouterSpec.Interface {
        .with {
            $0.port = .init(port.octets)
            $0.network = .init(network.octets)
            $0.mac = mac.bits
            $0.mtuBytes = clamped(mtuBytes)
            $0.addresses = addresses.map(\.wire)
        }
    }
}

extension RouterSpec.Gateway: MessageConvertible {
    init(_ message: PBRouterSpec.Gateway) throws(WireError) {
        self.init(
            interface: try RouterSpec.Interface(message.interface),
            nextHops: try message.nextHops.converted { hop throws(WireError) in
                try IPAddress(wire: hop, field: "router.gateway.next_hops")
            },
            isSNATEnabled: message.isSnatEnabled)
    }

    var wire: PBRouterSpec.Gateway {
        .with {
            $0.interface = interface.wire
            $0.nextHops = nextHops.map { .init($0.octets) }
            $0.isSnatEnabled = isSNATEnabled
        }
    }
}

extension RouterSpec.FloatingIP: MessageConvertible {
    init(_ message: PBRouterSpec.FloatingIP) throws(WireError) {
        self.init(
            id: try FloatingIPID(octets: message.id, field: "router.floating_ip.id"),
            address: try IPAddress(wire: message.address, field: "router.floating_ip.address"),
            fixedAddress: try IPAddress(wire: message.fixedAddress, field: "router.floating_ip.fixed_address"))
    }

    var wire: PBRouterSpec.FloatingIP {
        .with {
            $0.id = .init(id.octets)
            $0.address = .init(address.octets)
            $0.fixedAddress = .init(fixedAddress.octets)
        }
    }
}

extension RouterSpec.PortForwarding: MessageConvertible {
    init(_ message: PBRouterSpec.PortForwarding) throws(WireError) {
        let field = "router.port_forwarding"
        let first = try checked(message.externalPortMin, 1...65_535, field: "\(field).external_port_min")
        let last = try checked(message.externalPortMax, first...65_535, field: "\(field).external_port_max")
        self.init(
            id: try PortForwardingID(octets: message.id, field: "\(field).id"),
            protocolNumber: try checked(message.protocolNumber, 0...255, field: "\(field).protocol_number"),
            externalAddress: try IPAddress(wire: message.externalAddress, field: "\(field).external_address"),
            externalPorts: first...last,
            internalAddress: try IPAddress(wire: message.internalAddress, field: "\(field).internal_address"),
            firstInternalPort: try checked(
                message.internalPortMin, 1...(65_535 - (last - first)), field: "\(field).internal_port_min"))
    }

    var wire: PBRouterSpec.PortForwarding {
        .with {
            $0.id = .init(id.octets)
            $0.protocolNumber = clamped(protocolNumber)
            $0.externalAddress = .init(externalAddress.octets)
            $0.externalPortMin = clamped(externalPorts.lowerBound)
            $0.externalPortMax = clamped(externalPorts.upperBound)
            $0.internalAddress = .init(internalAddress.octets)
            $0.internalPortMin = clamped(firstInternalPort)
        }
    }
}
