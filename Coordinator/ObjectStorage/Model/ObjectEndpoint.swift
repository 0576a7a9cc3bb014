/// Where clients find the object store: agents serve it themselves, on a port of their own.
public struct ObjectEndpoint: Hashable, Sendable {
    public static let defaultPort = 8704

    /// `https://host:8704`, without a slash at the end.
    public let url: String
    /// A DNS name or an address, without brackets: what the agents' certificate is for.
    public let host: String

    /// - Returns: `nil` for anything but `https://HOST` or `https://HOST:PORT`.
    public init?(_ url: String) {
        let bare = url.hasSuffix("/") ? url.dropLast() : url[...]
        guard bare.hasPrefix("https://") else { return nil }
        let authority = bare.dropFirst(8)
        guard !authority.isEmpty, !authority.contains(where: { "/?#@ ".contains($0) }) else { return nil }
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = String(authority[authority.index(after: authority.startIndex)..<end])
        } else {
            host = String(authority.prefix { $0 != ":" })
        }
        guard !host.isEmpty else { return nil }
        self.url = String(bare)
    }

    /// On the host that the other services are on.
    public init?(besidePublicURL url: String) {
        guard let mark = url.firstRange(of: "://") else { return nil }
        let authority = url[mark.upperBound...].prefix { $0 != "/" }
        let host =
            authority.hasPrefix("[") ? authority.prefix { $0 != "]" } + "]" : authority.prefix { $0 != ":" }
        self.init("https://\(host):\(Self.defaultPort)")
    }

    /// The catalog's entry: each project has an account.
    public var accountURL: String { url + "/v1/AUTH_%(project_id)s" }
}
