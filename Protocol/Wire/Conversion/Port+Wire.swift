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
            hostname: message.hostname,
            quality: Quality(
                toGuest: message.hasToGuest ? try RateLimit(message.toGuest, field: "port.to_guest") : nil,
                fromGuest: message.hasFromGuest ? try RateLimit(message.fromGuest, field: "port.from_guest") : nil,
                dscp: message.hasDscp ? try Self.codePoint(message.dscp) : nil),
            dhcpOptions: message.dhcpOptions.map { option in
                DHCPOption(family: option.isIpv6 ? .ipv6 : .ipv4, name: option.name, value: option.value)
            })
    }

    private static func codePoint(_ number: UInt32) throws(WireError) -> Int {
        guard number < 64 else { throw .invalid("port.dscp: a code point has 6 bits") }
        return Int(number)
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
            if let limit = quality.toGuest { $0.toGuest = limit.wire }
            if let limit = quality.fromGuest { $0.fromGuest = limit.wire }
            if let dscp = quality.dscp { $0.dscp = UInt32(dscp) }
            $0.dhcpOptions = dhcpOptions.map { option in
                .with {
                    $0.isIpv6 = option.family == .ipv6
                    $0.name = option.name
                    $0.value = option.value
                }
            }
        }
    }
}

extension PortSpec.RateLimit {
    init(_ message: PBPortSpec.RateLimit, field: String) throws(WireError) {
        guard let rate = Int(exactly: message.bitsPerSecond), rate > 0, let burst = Int(exactly: message.burstOctets)
        else { throw .invalid("\(field): \(message.bitsPerSecond) bits a second is no limit") }
        self.init(bitsPerSecond: rate, burstBytes: burst)
    }

    var wire: PBPortSpec.RateLimit {
        .with {
            $0.bitsPerSecond = UInt64(bitsPerSecond)
            $0.burstOctets = UInt64(burstBytes)
        }
    }
}
