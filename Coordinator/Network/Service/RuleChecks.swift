import CoordinatorPlatform
import ProtocolModel

/// What makes sense of a rule by itself.
enum RuleChecks {
    /// Writes what has several spellings in one way.
    static func canonicalize(_ rule: inout RuleRecord) throws {
        if let text = rule.protocolText {
            rule.protocolText = ["", "-1", "any"].contains(text.lowercased()) ? nil : text.lowercased()
        }
        if rule.family == .ipv6 {
            if rule.protocolText == "icmp" || rule.protocolText == "icmpv6" { rule.protocolText = "ipv6-icmp" }
            if rule.protocolText == "1" { rule.protocolText = "58" }
        }
        // All ports are no ports, whatever the protocol.
        if rule.portMin == 1, rule.portMax == 65_535 {
            rule.portMin = nil
            rule.portMax = nil
        }
        if rule.remotePrefix == "" { rule.remotePrefix = nil }
        if let text = rule.remotePrefix {
            guard let prefix = IPPrefix(text) else {
                throw APIError.http(
                    "Invalid input for remote_ip_prefix. Reason: '\(text)' is neither a valid IP address, nor is it a "
                        + "valid IP subnet.")
            }
            if !text.contains("/") { rule.remotePrefix = "\(text)/\(prefix.length)" }
        }
    }

    static func check(_ rule: RuleRecord) throws {
        if let text = rule.protocolText, IPProtocol.number(text) == nil {
            throw APIError.badRequest(
                "Security group rule protocol \(text) not supported. Only protocol values "
                    + "\(IPProtocol.numbers.keys.sorted()) and integer representations [0 to 255] are supported.",
                type: "SecurityGroupRuleInvalidProtocol")
        }
        try checkPorts(rule)
        if let prefix = rule.normalizedPrefix, prefix.family != rule.family {
            throw APIError.badRequest(
                "Conflicting value ethertype \(rule.ethertype) for CIDR \(rule.remotePrefix ?? "")",
                type: "SecurityGroupRuleParameterConflict")
        }
        if let text = rule.protocolText, rule.family == .ipv4, IPProtocol.onlyIPv6.contains(text) {
            throw APIError.badRequest(
                "Invalid ethertype \(rule.ethertype) for protocol \(text).",
                type: "SecurityGroupEthertypeConflictWithProtocol")
        }
        let remotes = [rule.remoteGroup != nil, rule.remotePrefix != nil, rule.remoteAddresses != nil]
        if remotes.filter({ $0 }).count > 1 {
            throw APIError.badRequest(
                "Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.",
                type: "SecurityGroupMultipleRemoteEntites")
        }
    }

    private static func checkPorts(_ rule: RuleRecord) throws {
        guard rule.portMin != nil || rule.portMax != nil else { return }
        guard let text = rule.protocolText, let number = rule.protocolNumber else {
            throw APIError.badRequest(
                "Must also specify protocol if port range is given.", type: "SecurityGroupProtocolRequiredWithPorts")
        }
        if IPProtocol.withPorts.contains(number) {
            for port in [rule.portMin, rule.portMax] where port.map({ !(1...65_535).contains($0) }) ?? false {
                throw APIError.badRequest(
                    "Invalid value for port \(port ?? 0)", type: "SecurityGroupInvalidPortValue")
            }
            guard let low = rule.portMin, let high = rule.portMax, low <= high else {
                throw APIError.badRequest(
                    "For TCP/UDP protocols, port_range_min must be <= port_range_max",
                    type: "SecurityGroupInvalidPortRange")
            }
        } else if number == 1 || number == 58 {
            try checkICMP(rule)
        } else {
            throw APIError.badRequest(
                "Ports cannot be specified for protocol \(text). Ports are only supported for "
                    + "\(IPProtocol.withPortsNames).", type: "SecurityGroupInvalidProtocolForPort")
        }
    }

    private static func checkICMP(_ rule: RuleRecord) throws {
        for (field, attribute, value) in [
            ("type", "port_range_min", rule.portMin), ("code", "port_range_max", rule.portMax)
        ] {
            guard let value, !(0...255).contains(value) else { continue }
            throw APIError.badRequest(
                "Invalid value for ICMP \(field) (\(attribute)) \(value). It must be 0 to 255.",
                type: "SecurityGroupInvalidIcmpValue")
        }
        if rule.portMin == nil, let code = rule.portMax {
            throw APIError.badRequest(
                "ICMP code (port-range-max) \(code) is provided but ICMP type (port-range-min) is missing.",
                type: "SecurityGroupMissingIcmpType")
        }
    }
}
