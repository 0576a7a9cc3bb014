import ProtocolModel

/// Where a coordinator listens for agents.
public struct LinkEndpoint: Hashable, Sendable, CustomStringConvertible {
    public static let defaultPort = 8701

    /// A DNS name or an address without brackets.
    public var host: String
    public var port: Int

    public init(host: String, port: Int = Self.defaultPort) {
        self.host = host
        self.port = port
    }

    /// Reads `HOST`, `HOST:PORT`, `IPV4:PORT`, `[IPV6]`, `[IPV6]:PORT` or a bare IPv6 address.
    public init?(_ text: some StringProtocol) {
        if let address = IPAddress(text) {
            self.init(host: address.description)
            return
        }
        var host = text[...]
        var port = Self.defaultPort
        if let colon = text.lastIndex(of: ":"), text.last != "]" {
            let digits = text[text.index(after: colon)...]
            guard digits.utf8.count <= 5, digits.utf8.allSatisfy({ (48...57).contains($0) }),
                let number = Int(digits), (1...65_535).contains(number)
            else { return nil }
            port = number
            host = text[..<colon]
        }
        if host.hasPrefix("[") {
            guard host.hasSuffix("]"), let address = IPAddress(host.dropFirst().dropLast()), address.family == .ipv6
            else { return nil }
            self.init(host: address.description, port: port)
            return
        }
        guard (1...253).contains(host.utf8.count),
            host.utf8.allSatisfy({ byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45
                    || byte == 46 || byte == 95
            })
        else { return nil }
        self.init(host: String(host), port: port)
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
