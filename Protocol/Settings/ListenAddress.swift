/// An address and port that a program listens on.
public struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// A name or an address without brackets.
    public var host: String
    /// 0 lets the kernel choose.
    public var port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `HOST:PORT`, an IPv6 host in brackets.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty else { return nil }
        self.init(host: host, port: port)
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

extension SettingsReader {
    public mutating func address(_ node: Node, _ name: String) -> ListenAddress? {
        parsed(node, name, "HOST:PORT") { ListenAddress($0) }
    }
}
