/// IP protocol names that security group rules know (neutron-lib `IP_PROTOCOL_MAP` and its aliases) with IANA's numbers.
enum IPProtocol {
    static let numbers: [String: Int] = [
        "ah": 51, "dccp": 33, "egp": 8, "esp": 50, "gre": 47, "hopopt": 0, "icmp": 1, "igmp": 2, "ip": 0, "ipip": 4,
        "ipv6-encap": 41, "ipv6-frag": 44, "ipv6-icmp": 58, "icmpv6": 58, "ipv6-nonxt": 59, "ipv6-opts": 60,
        "ipv6-route": 43, "ospf": 89, "pgm": 113, "rsvp": 46, "sctp": 132, "tcp": 6, "udp": 17, "udplite": 136,
        "vrrp": 112
    ]

    /// Names that make sense with IPv6 alone.
    static let onlyIPv6: Set<String> = [
        "ipv6-encap", "ipv6-frag", "ipv6-icmp", "icmpv6", "ipv6-nonxt", "ipv6-opts", "ipv6-route"
    ]

    /// Those with ports.
    static let withPorts: Set<Int> = [33, 6, 17, 132, 136]
    static let withPortsNames = "DCCP, SCTP, TCP, UDP, UDPLITE"

    /// The number of a name or a number from 0 to 255.
    static func number(_ text: String) -> Int? {
        if let number = numbers[text.lowercased()] { return number }
        guard let number = Int(text), (0...255).contains(number) else { return nil }
        return number
    }
}
