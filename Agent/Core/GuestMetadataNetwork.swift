import ProtocolModel

extension GuestMetadata {
    /// `network_data.json`: links are network cards, networks are one subnet's presence on a card.
    func networkDocument() -> JSONDocument {
        var links: [JSONDocument] = []
        var entries: [JSONDocument] = []
        var resolvers: [IPAddress] = []
        for (interface, port) in boundPorts {
            let link = InterfaceName.tap(port.id).text
            links.append(
                .object([
                    ("id", .text(link)), ("vif_id", .text(port.id.text)), ("type", .text("bridge")),
                    ("mtu", .number(interface.mtuBytes)), ("ethernet_mac_address", .text(port.mac.description))
                ]))
            for (fixed, subnet) in subnets(of: port) {
                entries.append(
                    networkEntry(number: entries.count, link: link, port: port, address: fixed, subnet: subnet))
                resolvers += subnet.dnsServers.filter { !resolvers.contains($0) }
            }
        }
        return .object([
            ("links", .list(links)), ("networks", .list(entries)), ("services", .list(resolvers.map(Self.service)))
        ])
    }

    /// IPv4 before IPv6, as guests' tools expect; within a family in the port's own order.
    private func subnets(of port: PortSpec) -> [(IPAddress, SubnetSpec)] {
        let known = port.fixedIPs.compactMap { fixed in
            networks[port.network]?.subnets.first { $0.id == fixed.subnet }.map { (fixed.address, $0) }
        }
        return known.filter { $0.0.family == .ipv4 } + known.filter { $0.0.family == .ipv6 }
    }

    private func networkEntry(
        number: Int, link: String, port: PortSpec, address: IPAddress, subnet: SubnetSpec
    ) -> JSONDocument {
        let family = "ipv\(address.family.rawValue)"
        var members: [(String, JSONDocument)] = [("id", .text("network\(number)"))]
        if subnet.ipv6AddressMode == nil, subnet.isDHCPEnabled {
            members += [("type", .text(family + "_dhcp")), ("link", .text(link))]
            members.append(("network_id", .text(port.network.text)))
            return .object(members)
        }
        let mode = subnet.ipv6AddressMode.map { "_" + $0.rawValue } ?? ""
        members += [
            ("type", .text(family + mode)), ("link", .text(link)), ("ip_address", .text(address.description)),
            ("netmask", .text(subnet.prefix.netmask.description)), ("routes", .list(routes(of: subnet))),
            ("network_id", .text(port.network.text)), ("services", .list(subnet.dnsServers.map(Self.service)))
        ]
        return .object(members)
    }

    private func routes(of subnet: SubnetSpec) -> [JSONDocument] {
        var routes = subnet.hostRoutes.map { Self.route(to: $0.destination, through: $0.nextHop) }
        let everything = IPPrefix(IPAddress(family: subnet.prefix.family, bits: 0), length: 0)
        if let gateway = subnet.gateway, let everything {
            routes.insert(Self.route(to: everything, through: gateway), at: 0)
        }
        return routes
    }

    private static func route(to destination: IPPrefix, through gateway: IPAddress) -> JSONDocument {
        .object([
            ("network", .text(destination.network.description)), ("netmask", .text(destination.netmask.description)),
            ("gateway", .text(gateway.description))
        ])
    }

    private static func service(_ resolver: IPAddress) -> JSONDocument {
        .object([("type", .text("dns")), ("address", .text(resolver.description))])
    }
}
