import ProtocolModel

/// Where `web-download` fetches from: a URL that has passed the operator's list. Pure; the addresses behind its name are
/// checked again when they are known (``mayConnect(to:allowed:)``).
package struct WebAddress: Sendable, Hashable {
    package struct Refusal: Error, Equatable, CustomStringConvertible {
        package var description: String
    }

    package var isSecure: Bool
    /// In lower case, without the brackets of an IPv6 address.
    package var host: String
    package var port: Int
    /// Path and query as they came, for the request.
    package var target: String

    package init(_ text: String, allowed: ImageSettings.WebDownload) throws(Refusal) {
        let refusal = Refusal(description: "URI for web-download does not pass filtering: \(text.prefix(200))")
        guard text.utf8.count <= 2048, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
            let mark = text.firstRange(of: "://")
        else { throw refusal }
        switch text[..<mark.lowerBound].lowercased() {
        case "http": isSecure = false
        case "https": isSecure = true
        default: throw refusal
        }
        let rest = text[mark.upperBound...].prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        // Anything that two readers of URLs could take differently is refused.
        guard !authority.contains("@"), !rest.contains("\\"),
            let (host, port) = Self.split(authority), !host.isEmpty
        else { throw refusal }
        self.host = host
        self.port = port ?? (isSecure ? 443 : 80)
        let path = rest[authority.endIndex...]
        target = path.hasPrefix("/") ? String(path) : "/" + path
        guard allowed.hosts.contains(where: { Self.matches(host, $0) }), allowed.ports.contains(self.port) else {
            throw refusal
        }
        // An address in the URL is known already.
        if let address = IPAddress(host) {
            guard Self.mayConnect(to: address, allowed: allowed) else { throw refusal }
        } else {
            // `127.1`, `0x7f.1` and the like are addresses to a resolver.
            guard host.split(separator: ".").last?.contains(where: \.isLetter) == true, !host.hasPrefix("0x") else {
                throw refusal
            }
        }
    }

    /// Only what the whole world can reach, and networks that the operator named.
    package static func mayConnect(to address: IPAddress, allowed: ImageSettings.WebDownload) -> Bool {
        allowed.networks.contains { $0.contains(address) } || isPublic(address)
    }

    /// IANA's registries of special-purpose addresses: everything in them is refused.
    private static let special = [
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
        // Tunnels with an IPv4 address inside, and documentation.
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"
    ].compactMap { IPPrefix($0) }
    private static let globalUnicast = IPPrefix("2000::/3")

    private static func isPublic(_ address: IPAddress) -> Bool {
        if address.family == .ipv6, globalUnicast?.contains(address) != true { return false }
        return !special.contains { $0.contains(address) }
    }

    private static func matches(_ host: String, _ pattern: String) -> Bool {
        if pattern == "*" || pattern == host { return true }
        return pattern.hasPrefix("*.") && host.hasSuffix(pattern.dropFirst()) && host.count > pattern.count - 1
    }

    private static func split(_ authority: Substring) -> (String, Int?)? {
        var host = authority
        var port: Int?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<end]
            guard IPAddress(host)?.family == .ipv6 else { return nil }
            let rest = authority[authority.index(after: end)...]
            if !rest.isEmpty {
                guard rest.hasPrefix(":"), let number = number(rest.dropFirst()) else { return nil }
                port = number
            }
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            guard let number = number(authority[authority.index(after: colon)...]) else { return nil }
            port = number
        }
        let isName = host.utf8.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || [45, 46, 58, 95].contains($0)
        }
        guard isName, host.utf8.count <= 253 else { return nil }
        var name = host.lowercased()
        if name.hasSuffix(".") { name.removeLast() }
        return (name, port)
    }

    private static func number(_ text: Substring) -> Int? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) }), let port = Int(text),
            (1...65_535).contains(port)
        else { return nil }
        return port
    }
}
