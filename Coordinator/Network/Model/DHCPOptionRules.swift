import ProtocolModel

/// The DHCP options that a port can have of its own, by the names that Neutron's users know from dnsmasq, and how their
/// values look. What is not here the server would not understand, or it is the server's own to say.
enum DHCPOptionRules {
    enum Form: Sendable {
        /// One or several, parted by commas.
        case addresses
        case number(ClosedRange<Int>)
        case text
        /// Prefixes with their next hops.
        case routes
    }

    private static let ipv4: [String: Form] = forms([
        (
            [
                "router", "dns-server", "log-server", "lpr-server", "swap-server", "nis-server", "ntp-server",
                "netbios-ns", "netbios-dd", "x-windows-fs", "x-windows-dm", "nis+-server", "mobile-ip-home",
                "smtp-server", "pop3-server", "nntp-server", "irc-server", "tftp-server-address", "server-ip-address"
            ], .addresses
        ),
        (
            [
                "domain-name", "root-path", "extension-path", "nis-domain", "netbios-scope", "vendor-class",
                "nis+-domain", "tftp-server", "bootfile-name", "user-class", "posix-timezone", "tzdb-timezone",
                "domain-search"
            ], .text
        ),
        (["boot-file-size", "max-datagram-reassembly", "mtu"], .number(0...65_535)),
        (["default-ttl", "tcp-ttl", "netbios-nodetype"], .number(0...255)),
        (["time-offset", "arp-timeout", "tcp-keepalive", "T1", "T2", "ipv6-only"], .number(0...4_294_967_295)),
        (["classless-static-route"], .routes)
    ])

    private static let ipv6: [String: Form] = forms([
        (["sip-server", "dns-server", "nis-server", "nis+-server", "sntp-server", "ntp-server"], .addresses),
        (
            [
                "domain-search", "nis-domain", "nis+-domain", "posix-timezone", "tzdb-timezone", "bootfile-url",
                "bootfile-param"
            ], .text
        ),
        (["information-refresh-time"], .number(0...4_294_967_295))
    ])

    private static func forms(_ groups: [([String], Form)]) -> [String: Form] {
        Dictionary(groups.flatMap { names, form in names.map { ($0, form) } }) { first, _ in first }
    }

    /// - Returns: `nil` for an option that cannot be had. Numbers are taken where nobody gave them a name: they are for
    ///   sites to use (RFC 2132 section 2, RFC 3942).
    static func form(_ name: String, _ family: IPAddress.Family) -> Form? {
        if let form = (family == .ipv4 ? ipv4 : ipv6)[name] { return form }
        guard family == .ipv4, name.utf8.count == 3, name.utf8.allSatisfy({ (48...57).contains($0) }),
            let number = Int(name), (128...254).contains(number)
        else { return nil }
        return .text
    }

    /// Whether the server will tell exactly this. Its files are lines of words: what would end one, or be another's
    /// beginning, is in no value.
    static func isValid(_ value: String, _ form: Form, _ family: IPAddress.Family) -> Bool {
        let parts = value.split(separator: ",", omittingEmptySubsequences: false)
        switch form {
        // Also those of the other family, which no server can tell: Neutron takes them, and its own tests send them.
        case .addresses: return parts.count <= 16 && parts.allSatisfy { IPAddress($0) != nil }
        case .number(let range):
            guard value.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(value) else { return false }
            return range.contains(number)
        case .text:
            return !value.isEmpty && value.utf8.first != UInt8(ascii: " ") && value.utf8.last != UInt8(ascii: " ")
                && value.utf8.allSatisfy { (32..<127).contains($0) && !forbidden.contains($0) }
        case .routes:
            guard parts.count % 2 == 0, parts.count <= 32 else { return false }
            return stride(from: 0, to: parts.count, by: 2).allSatisfy { index in
                parts[index].contains("/") && IPPrefix(parts[index])?.family == family
                    && IPAddress(parts[index + 1])?.family == family
            }
        }
    }

    /// Quotes, the sign that makes the next character another, and the one that begins a remark.
    private static let forbidden: Set<UInt8> = [UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "#")]
}
