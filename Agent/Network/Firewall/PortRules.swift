import ProtocolModel

/// The three chains of one port in one family.
struct PortRules {
    let port: PortSpec
    let network: NetworkSpec
    let groups: [SecurityGroupID: SecurityGroupSpec]
    let family: IPAddress.Family

    /// What may reach the guest.
    var ingress: [String] {
        var rules = ["-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN"]
        if network.hasServices {
            // Only DHCP, DNS, router advertisements and metadata come from there, and nobody else can send on it.
            rules.append("-m physdev --physdev-in \(InterfaceName.serviceLink(network.id)) -j RETURN")
        }
        if family == .ipv6 {
            // Multicast listener queries and neighbour discovery: without them IPv6 does not work at all.
            rules += [130, 135, 136].map { "-p ipv6-icmp -m icmp6 --icmpv6-type \($0) -j RETURN" }
            if let way = routerAdvertisements {
                rules.append("\(way)-p ipv6-icmp -m icmp6 --icmpv6-type 134 -j RETURN")
            }
        }
        rules.append("-m conntrack --ctstate INVALID -j DROP")
        return rules + securityGroupRules(.ingress) + ["-j DROP"]
    }

    /// What the guest may send.
    var egress: [String] {
        var rules: [String] = []
        switch family {
        case .ipv4:
            // Before the guest has an address.
            rules.append("-s 0.0.0.0/32 -d 255.255.255.255/32 -p udp -m udp --sport 68 --dport 67 -j RETURN")
            rules.append("-j sk-s\(port.id.short)")
            rules.append("-p udp -m udp --sport 68 --dport 67 -j RETURN")
            rules.append("-p udp -m udp --sport 67 --dport 68 -j DROP")
        case .ipv6:
            // Multicast listener reports and duplicate address detection come from the unspecified address.
            rules += [131, 135, 143].map {
                "-s ::/128 -d ff02::/16 -p ipv6-icmp -m icmp6 --icmpv6-type \($0) -j RETURN"
            }
            rules.append("-p ipv6-icmp -m icmp6 --icmpv6-type 134 -j DROP")
            rules.append("-j sk-s\(port.id.short)")
            rules += [131, 132, 133, 135, 143].map { "-p ipv6-icmp -m icmp6 --icmpv6-type \($0) -j RETURN" }
            rules += neighbourAdvertisements
            rules.append("-p udp -m udp --sport 546 --dport 547 -j RETURN")
            rules.append("-p udp -m udp --sport 547 --dport 546 -j DROP")
        }
        rules.append("-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN")
        rules.append("-m conntrack --ctstate INVALID -j DROP")
        return rules + securityGroupRules(.egress) + ["-j DROP"]
    }

    /// A neighbour advertisement speaks of the address in its target, whatever its source is (CVE-2021-20267): that must be
    /// one of the guest's. No match knows the target, so 32-bit words of the packet are compared: at 48 behind the
    /// IPv6 header, which must have none after it that could push the target further on (next header, at 6: 58).
    private var neighbourAdvertisements: [String] {
        let advertisement = "-p ipv6-icmp -m icmp6 --icmpv6-type 136"
        var seen: Set<IPPrefix> = []
        let targets = port.allowedSources.map(\.prefix).filter { $0.family == .ipv6 && seen.insert($0).inserted }
        return targets.map { target in
            let words = (0..<4).compactMap { target.match(word: $0, at: 48 + $0 * 4) }
            return "\(advertisement) -m u32 --u32 \((["3&0xFF=58"] + words).joined(separator: "&&")) -j RETURN"
        } + ["\(advertisement) -j DROP"]
    }

    /// The source addresses the guest may use; anything else is dropped.
    var sources: [String] {
        port.allowedSources.filter { $0.prefix.family == family }.map { source in
            let address = source.prefix.length == 0 ? "" : "-s \(source.prefix) "
            return "\(address)-m mac --mac-source \(source.mac) -j RETURN"
        } + ["-j DROP"]
    }

    /// Where router advertisements may come from; `nil`: from nowhere.
    private var routerAdvertisements: String? {
        let modes = network.subnets.filter { $0.prefix.family == .ipv6 }.map(\.ipv6RAMode)
        if modes.isEmpty { return nil }
        // A subnet whose advertisements we do not send has a router of the tenant's own or of the provider's.
        if modes.contains(nil) { return "" }
        // Ours come from a router's link or from another host, and never from a guest on this one.
        return "-m physdev ! --physdev-in tap+ "
    }

    private func securityGroupRules(_ direction: SecurityGroupRuleSpec.Direction) -> [String] {
        var seen: Set<String> = []
        let rules = port.securityGroups.sorted().flatMap { groups[$0]?.rules ?? [] }.sorted { $0.id < $1.id }
        return rules.compactMap { rule in
            guard rule.direction == direction, rule.family == family, let text = rule.matches else { return nil }
            return seen.insert(text).inserted ? text + "-j RETURN" : nil
        }
    }
}

extension SecurityGroupRuleSpec {
    /// The rule's matches in iptables' words, each followed by a space; `nil` for a rule that can match nothing.
    fileprivate var matches: String? {
        var text = ""
        switch remote {
        case .anywhere: break
        case .prefix(let prefix):
            guard prefix.family == family else { return nil }
            if prefix.length > 0 { text += "\(direction == .ingress ? "-s" : "-d") \(prefix) " }
        case .group(let group):
            text += "-m set --match-set \(AddressSet.name(group, family)) \(direction == .ingress ? "src" : "dst") "
        }
        // Protocol 0 stands for any, in the API as in iptables.
        guard let number = protocolNumber, number != 0 else { return text }
        switch number {
        case 1, 58: return text + icmpMatches
        // TCP, UDP, DCCP, SCTP, UDP-Lite: the protocols that the multiport match knows.
        case 6, 17, 33, 132, 136: return text + "-p \(number) " + portMatches
        default: return text + "-p \(number) "
        }
    }

    private var portMatches: String {
        guard let low = portRangeMin ?? portRangeMax, let high = portRangeMax ?? portRangeMin else { return "" }
        return "-m multiport --dports \(low == high ? "\(low)" : "\(low):\(high)") "
    }

    private var icmpMatches: String {
        let (name, module, option) =
            family == .ipv4 ? ("icmp", "icmp", "--icmp-type") : ("ipv6-icmp", "icmp6", "--icmpv6-type")
        guard let type = portRangeMin else { return "-p \(name) " }
        return "-p \(name) -m \(module) \(option) \(type)\(portRangeMax.map { "/\($0)" } ?? "") "
    }
}

extension IPPrefix {
    /// What the u32 match is to compare the 32-bit word at an offset with; `nil` when the prefix says nothing of it.
    fileprivate func match(word: Int, at offset: Int) -> String? {
        let bits = min(32, length - word * 32)
        guard bits > 0 else { return nil }
        let value = UInt32(truncatingIfNeeded: network.bits >> UInt128(96 - word * 32))
        let mask = bits == 32 ? "" : "&0x" + String(UInt32.max << UInt32(32 - bits), radix: 16)
        return "\(offset)\(mask)=0x" + String(value, radix: 16)
    }
}

extension PortSpec {
    struct AllowedSource: Hashable {
        var prefix: IPPrefix
        var mac: MACAddress
    }

    /// Every pair of address and MAC that the guest may send from: its own, the allowed pairs, and the link-local
    /// address that belongs to each of these MACs.
    var allowedSources: [AllowedSource] {
        var sources: [AllowedSource] = []
        for fixed in fixedIPs {
            guard let prefix = IPPrefix(fixed.address, length: fixed.address.family.bitCount) else { continue }
            sources.append(AllowedSource(prefix: prefix, mac: mac))
        }
        sources += allowedPairs.map { AllowedSource(prefix: $0.prefix, mac: $0.mac ?? mac) }
        for mac in [mac] + allowedPairs.compactMap(\.mac) {
            if let prefix = IPPrefix(mac.linkLocalAddress, length: 128) {
                sources.append(AllowedSource(prefix: prefix, mac: mac))
            }
        }
        var seen: Set<AllowedSource> = []
        return sources.filter { seen.insert($0).inserted }
    }
}

extension MACAddress {
    /// The link-local address that SLAAC derives from this address.
    var linkLocalAddress: IPAddress {
        IPAddress(family: .ipv6, bits: UInt128(0xFE80) << 112 | UInt128(modifiedEUI64))
    }
}
