import ProtocolModel

extension SecurityGroupSpec: MessageConvertible {
    init(_ message: PBSecurityGroupSpec) throws(WireError) {
        self.init(
            id: try SecurityGroupID(octets: message.id, field: "security_group.id"), name: message.name,
            rules: try message.rules.converted { rule throws(WireError) in try SecurityGroupRuleSpec(rule) },
            members: try message.members.converted { member throws(WireError) in
                try IPAddress(wire: member, field: "security_group.members")
            },
            addressGroups: try message.addressGroups.converted { group throws(WireError) in
                AddressGroup(
                    id: try AddressGroupID(octets: group.id, field: "security_group.address_groups.id"),
                    prefixes: try group.prefixes.converted { prefix throws(WireError) in
                        try IPPrefix(prefix, field: "security_group.address_groups.prefixes")
                    })
            })
    }

    var wire: PBSecurityGroupSpec {
        .with {
            $0.id = .init(id.octets)
            $0.name = name
            $0.rules = rules.map(\.wire)
            $0.members = members.map { .init($0.octets) }
            $0.addressGroups = addressGroups.map { group in
                .with {
                    $0.id = .init(group.id.octets)
                    $0.prefixes = group.prefixes.map(\.wire)
                }
            }
        }
    }
}

extension SecurityGroupRuleSpec: MessageConvertible {
    init(_ message: PBSecurityGroupRuleSpec) throws(WireError) {
        guard let family = IPAddress.Family(rawValue: Int(message.ipVersion)) else {
            throw .invalid("rule.ip_version: \(message.ipVersion)")
        }
        self.init(
            id: try SecurityGroupRuleID(octets: message.id, field: "rule.id"),
            direction: try Self.direction(message.direction), family: family,
            protocolNumber: message.hasProtocolNumber
                ? try checked(message.protocolNumber, 0...255, field: "rule.protocol_number") : nil,
            portRangeMin: message.hasPortRangeMin
                ? try checked(message.portRangeMin, 0...65_535, field: "rule.port_range_min") : nil,
            portRangeMax: message.hasPortRangeMax
                ? try checked(message.portRangeMax, 0...65_535, field: "rule.port_range_max") : nil,
            remote: try Self.remote(message.remote))
    }

    private static func direction(_ message: PBSecurityGroupRuleSpec.Direction) throws(WireError) -> Direction {
        switch message {
        case .ingress: return .ingress
        case .egress: return .egress
        case .unspecified, .UNRECOGNIZED: throw .invalid("rule.direction: \(message.rawValue)")
        }
    }

    private static func remote(_ message: PBSecurityGroupRuleSpec.OneOf_Remote?) throws(WireError) -> Remote {
        switch message {
        case .remotePrefix(let prefix)?: return .prefix(try IPPrefix(prefix, field: "rule.remote_prefix"))
        case .remoteGroup(let group)?:
            return .group(try SecurityGroupID(octets: group, field: "rule.remote_group"))
        case nil: return .anywhere
        }
    }

    var wire: PBSecurityGroupRuleSpec {
        .with {
            $0.id = .init(id.octets)
            $0.direction = direction == .ingress ? .ingress : .egress
            $0.ipVersion = UInt32(family.rawValue)
            if let protocolNumber { $0.protocolNumber = clamped(protocolNumber) }
            if let portRangeMin { $0.portRangeMin = clamped(portRangeMin) }
            if let portRangeMax { $0.portRangeMax = clamped(portRangeMax) }
            switch remote {
            case .anywhere: break
            case .prefix(let prefix): $0.remotePrefix = prefix.wire
            case .group(let group): $0.remoteGroup = .init(group.octets)
            }
        }
    }
}
