import ProtocolModel

/// What the outer end of a router's link carries as its alias. Not an ``OwnershipMark``: the pass over networks neither
/// makes nor removes these links, and takes them for nobody's uplink.
public struct RouterMark: Hashable, Sendable {
    public var router: RouterID
    public var port: PortID

    public init(router: RouterID, port: PortID) {
        self.router = router
        self.port = port
    }

    private static let start = "skerry-router:"

    public var text: String { "\(Self.start)\(router)/\(port)" }

    public init?(alias: String?) {
        guard let alias, alias.hasPrefix(Self.start) else { return nil }
        let parts = alias.dropFirst(Self.start.count).split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let router = RouterID(parts[0]), let port = PortID(parts[1]) else { return nil }
        self.init(router: router, port: port)
    }
}
