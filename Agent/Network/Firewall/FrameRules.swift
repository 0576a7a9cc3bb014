import ProtocolModel

/// What iptables cannot see: ARP, and the MAC addresses of frames that are not IP. The rules stand in the bridge's
/// PREROUTING, before the bridge learns where an address is, so that a guest cannot draw another's frames to itself.
enum FrameRules {
    static func table(_ ports: [PortSpec]) -> RuleTable {
        var table = RuleTable(name: "nat")
        guard !ports.isEmpty else { return table }
        table.hooks = [.init(chain: "PREROUTING", target: "skerry-l2")]
        table.chains["skerry-l2"] = ports.flatMap { port in
            let tap = InterfaceName.tap(port.id)
            let tags = Self.tags.map { "-i \(tap) -p \($0) -j DROP" }
            return tags + (port.isSecurityEnabled ? ["-i \(tap) -j sk-l\(port.id.short)"] : [])
        }
        for port in ports.filter(\.isSecurityEnabled) { table.chains["sk-l\(port.id.short)"] = rules(port) }
        return table
    }

    /// 802.1Q, 802.1ad, and the number that was used for double tags before it. No port carries VLANs: what is in a tag
    /// would pass all rules for ARP and IP, and the receiving kernel takes a frame of VLAN 0 for one without a tag. On a
    /// flat network it would even lead into the VLANs of the interface below. So they go whether a port is secured or not.
    private static let tags = ["802_1Q", "0x88A8", "0x9100"]

    private static func rules(_ port: PortSpec) -> [String] {
        let sources = port.allowedSources
        var macs: [MACAddress] = []
        for source in sources where !macs.contains(source.mac) { macs.append(source.mac) }
        var rules: [String] = []
        for source in sources where source.prefix.family == .ipv4 {
            let address = source.prefix.length == 0 ? "" : " --arp-ip-src \(source.prefix.ebtablesText)"
            rules.append("-p ARP -s \(source.mac)\(address) --arp-mac-src \(source.mac) -j RETURN")
        }
        // Probes for an address before it is taken (RFC 5227) have no source address yet.
        rules += macs.map { "-p ARP -s \($0) --arp-ip-src 0.0.0.0 --arp-mac-src \($0) -j RETURN" }
        rules.append("-p ARP -j DROP")
        rules += macs.map { "-s \($0) -j RETURN" }
        rules.append("-j DROP")
        return rules
    }
}

extension IPPrefix {
    /// Without the length where it is a single address.
    fileprivate var ebtablesText: String { length == family.bitCount ? "\(network)" : "\(self)" }
}
