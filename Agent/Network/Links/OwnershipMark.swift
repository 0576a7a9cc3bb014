import ProtocolModel

/// What the agent writes into the alias of each link it makes. A link without such a mark belongs to somebody else and
/// is never changed, whatever its name.
public enum OwnershipMark: Hashable, Sendable {
    case bridge(NetworkID)
    case vlan(NetworkID)
    case vxlan(NetworkID)
    /// The bridge's end of the pair that leads into the network's service namespace.
    case service(NetworkID)
    case port(PortID)
    /// What comes from the port's guest goes through it, at its pace.
    case queue(PortID)

    public var text: String {
        switch self {
        case .bridge(let id): "skerry:\(id)"
        case .vlan(let id): "skerry-vlan:\(id)"
        case .vxlan(let id): "skerry-vxlan:\(id)"
        case .service(let id): "skerry-service:\(id)"
        case .port(let id): "skerry-port:\(id)"
        case .queue(let id): "skerry-queue:\(id)"
        }
    }

    public init?(alias: String?) {
        guard let alias, let colon = alias.firstIndex(of: ":") else { return nil }
        let identifier = alias[alias.index(after: colon)...]
        switch alias[..<colon] {
        case "skerry": self.init(NetworkID(identifier), Self.bridge)
        case "skerry-vlan": self.init(NetworkID(identifier), Self.vlan)
        case "skerry-vxlan": self.init(NetworkID(identifier), Self.vxlan)
        case "skerry-service": self.init(NetworkID(identifier), Self.service)
        case "skerry-port": self.init(PortID(identifier), Self.port)
        case "skerry-queue": self.init(PortID(identifier), Self.queue)
        default: return nil
        }
    }

    private init?<Resource>(_ id: Identifier<Resource>?, _ make: (Identifier<Resource>) -> Self) {
        guard let id else { return nil }
        self = make(id)
    }

    /// The resource of the plan that this link serves.
    var owner: ResourceKey {
        switch self {
        case .bridge(let id), .vlan(let id), .vxlan(let id), .service(let id): .network(id)
        case .port(let id), .queue(let id): .port(id)
        }
    }
}
