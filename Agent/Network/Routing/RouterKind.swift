import AgentCore
import ProtocolModel

/// Routers, each a namespace with a link into each of its networks' bridges.
public struct RouterKind: KeyedDriver {
    public enum Step: String, Sendable, Equatable {
        case program = "program-router"
        case remove = "remove-router"
    }

    public struct Work: Sendable {
        var router: RouterID
        var spec: RouterSpec?
    }

    private let host: HostNetworkDriver

    public init(_ host: HostNetworkDriver) { self.host = host }

    public var kind: ResourceKind { .router }
    /// Their bridges are where a router's links go.
    public var dependencies: Set<ResourceKind> { [.network] }

    public func reads(_ spec: ResourceSpec) -> Bool {
        if case .router = spec { true } else { false }
    }

    public func observe() async throws(StatusError) -> [AnyID: RouterSighting] {
        var seen: [AnyID: RouterSighting] = [:]
        for (id, sighting) in try await host.observeRouters() { seen[id.cast()] = sighting }
        return seen
    }

    public func decide(_ situation: KeyedSituation<Self>, _ memory: inout NoMemory) -> KeyedDecision<Self> {
        guard case .router(let router) = situation.spec else {
            return KeyedDecision(phase: .applying, work: Work(router: situation.key.id.cast()))
        }
        var decision = KeyedDecision<Self>(phase: .applying, work: Work(router: router.id, spec: router))
        switch RouterFoundations.readiness(router, situation.readiness) {
        case .failed(let error): decision.error = error
        case .ready:
            let isDone = RouterPlanner.plan(router, situation.sighting ?? RouterSighting()).isEmpty
            if isDone { decision.phase = .ready } else { decision.steps = [.program] }
        case .unknown, .waiting, .prepared: break
        }
        return decision
    }

    public func decideRemoval(
        _ id: AnyID, _ sighting: RouterSighting?, _ last: ResourceSpec?
    ) -> KeyedDecision<Self> {
        KeyedDecision(
            phase: sighting == nil ? .gone : .applying, steps: sighting == nil ? [] : [.remove],
            work: Work(router: id.cast()))
    }

    public func perform(_ step: Step, _ work: Work) async throws(StatusError) {
        switch step {
        case .program: if let spec = work.spec { try await host.program(spec) }
        case .remove: try await host.removeRouter(work.router)
        }
    }
}

extension HostNetworkDriver {
    /// The owner of the host's routers, which works on this driver's thread.
    public nonisolated var routerOwner: @Sendable (EngineCore) -> any KindOwner {
        { core in KeyedReconciler(RouterKind(self), core) }
    }
}
