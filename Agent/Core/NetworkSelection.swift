import ProtocolModel

/// What of a plan the host's network shall hold now. Pure.
///
/// What is to be removed stays while a server that is itself to be removed still uses it: a guest never loses its
/// network before it is gone.
public struct NetworkSelection: Sendable, Equatable {
    /// Which entries it is about.
    static let kinds: Set<ResourceKind> = [.securityGroup, .network, .port]

    public var state = NetworkState()
    /// What the state was made from, with generations.
    public var wanted: [ResourceKey: Int64] = [:]
    /// What is to go and is no longer in the state.
    public var removed: [ResourceKey: Int64] = [:]

    /// - Parameter lingering: The last specs of entries that ask for removal, as far as known.
    /// - Parameter isPresent: Whether something of the server is, or may be, left on the host.
    public init(plan: AgentPlan, lingering: [ResourceKey: ResourceSpec], isPresent: (ServerID) -> Bool) {
        for (key, entry) in plan.entries where Self.kinds.contains(key.kind) {
            if entry.spec == nil { removed[key] = entry.generation } else { wanted[key] = entry.generation }
        }
        for entry in plan.entries.values {
            if let spec = entry.spec?.inForce { state.insert(spec) }
        }
        for case .port(let port) in lingering.values where Self.isHeld(port, plan: plan, isPresent: isPresent) {
            hold(.port(port), lingering)
            if let network = lingering[.network(port.network)] { hold(network, lingering) }
            for group in port.securityGroups {
                if let spec = lingering[.securityGroup(group)] { hold(spec, lingering) }
            }
        }
    }

    private mutating func hold(_ spec: ResourceSpec, _ lingering: [ResourceKey: ResourceSpec]) {
        guard removed.removeValue(forKey: spec.key) != nil else { return }
        state.insert(spec)
    }

    private static func isHeld(_ port: PortSpec, plan: AgentPlan, isPresent: (ServerID) -> Bool) -> Bool {
        guard let server = port.server, isPresent(server) else { return false }
        guard let spec = plan.server(server) else { return true }
        return spec.interfaces.contains { $0.port == port.id }
    }
}

extension NetworkState {
    fileprivate mutating func insert(_ spec: ResourceSpec) {
        switch spec {
        case .securityGroup(let group): securityGroups[group.id] = group
        case .network(let network): networks[network.id] = network
        case .port(let port): ports[port.id] = port
        case .server(let server): servers[server.id] = server
        case .router, .volume, .volumeSnapshot, .opaque: break
        }
    }
}
