import ProtocolModel

extension PortSpec: MessageConvertible {
    init(_ message: PBPortSpec) throws(WireError) {
        self.init(
            id: try PortID(octets: message.id, field: "port.id"),
            network: try NetworkID(octets: message.network, field: "port.network"),
            server: message.hasServer ? try ServerID(octets: message.server, field: "port.server") : nil,
            mac: try MACAddress(wire: message.mac, field: "port.mac"),
            fixedIPs: try message.fixedIps.converted { ip throws(WireError) in
                FixedIP(
                    subnet: try SubnetID(octets: ip.subnet, field: "port.fixed_ips.subnet"),
                    address: try IPAddress(wire: ip.address, field: "port.fixed_ips.address"))
            },
            isAdminUp: message.isAdminUp, isSecurityEnabled: message.isSecurityEnabled,
            securityGroups: try message.securityGroups.converted { group throws(WireError) in
                try SecurityGroupID(octets: group, field: "port.security_groups")
            },
            allowedPairs: try message.allowedPairs.converted { pair throws(WireError) in
                AllowedPair(
                    prefix: try IPPrefix(pair.prefix, field: "port.allowed_pairs.prefix"),
                    mac: pair.hasMac ? try MACAddress(wire: pair.mac, field: "port.allowed_pairs.mac") : nil)
            },
            hostname: message.hostname)
    }

    var wire: PBPortSpec {
        .with {
            $0.id = .init(id.octets)
            $0.network = .init(network.octets)
            if let server { $0.server = .init(server.octets) }
            $0.mac = mac.bits
            $0.fixedIps = fixedIPs.map { ip in
                .with {
                    $0.subnet = .init(ip.subnet.octets)
                    $0.address = .init(ip.address.octets)
                }
            }
            $0.isAdminUp = isAdminUp
            $0.isSecurityEnabled = isSecurityEnabled
            $0.securityGroups = securityGroups.map { .init($0.octets) }
            $0.allowedPairs = allowedPairs.map { pair in
                .with {
                    $0.prefix = pair.prefix.wire
                    if let mac = pair.mac { $0.mac = mac.bits }
                }
            }
            $0.hostname = hostname
        }
    }
}
