import ProtocolModel

/// What a router stands on. Pure.
public enum RouterFoundations {
    /// How far the networks are that the router has links into.
    public static func readiness(_ router: RouterSpec, _ readiness: (ResourceKey) -> Readiness) -> Readiness {
        var result = Readiness.ready(isCurrent: true)
        for interface in router.interfaces + (router.gateway.map { [$0.interface] } ?? []) {
            switch readiness(.network(interface.network)) {
            case .failed(let error): return .failed(error)
            case .ready: continue
            case .unknown, .waiting, .prepared: result = .waiting
            }
        }
        return result
    }
}
