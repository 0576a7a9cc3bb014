import AgentCore
import ProtocolModel

/// Routers that are only remembered.
public struct SimulatedRouters: KeyedDriver {
    public enum Step: String, Sendable, Equatable {
        case program = "program-router"
        case remove = "remove-router"
    }

    public struct Work: Sendable {
        var router: RouterID
        var spec: RouterSpec?
    }

    private let host: SimulatedHost

    public init(_ host: SimulatedHost) { self.host = host }

    public var kind: ResourceKind { .router }
    public var dependencies: Set<ResourceKind> { [.network] }

    public func reads(_ spec: ResourceSpec) -> Bool {
        if case .router = spec { true } else { false }
    }

    public func observe() async throws(StatusError) -> [AnyID: RouterSpec] {
        var seen: [AnyID: RouterSpec] = [:]
        for (id, spec) in host.routers.withLock({ $0 }) { seen[id.cast()] = spec }
        return seen
    }

    public func decide(_ situation: KeyedSituation<Self>, _ memory: inout NoMemory) -> KeyedDecision<Self> {
        guard case .router(let router) = situation.spec else {
            return KeyedDecision(phase: .applying, work: Work(router: situation.key.id.cast()))
        }
        var decision = KeyedDecision<Self>(phase: .applying, work: Work(router: router.id, spec: router))
        switch RouterFoundations.readiness(router, situation.readiness) {
        case .failed(let error): decision.error = error
        case .ready: if situation.sighting == router { decision.phase = .ready } else { decision.steps = [.program] }
        case .unknown, .waiting, .prepared: break
        }
        return decision
    }

    public func decideRemoval(_ id: AnyID, _ sighting: RouterSpec?, _ last: ResourceSpec?) -> KeyedDecision<Self> {
        KeyedDecision(
            phase: sighting == nil ? .gone : .applying, steps: sighting == nil ? [] : [.remove],
            work: Work(router: id.cast()))
    }

    public func perform(_ step: Step, _ work: Work) async throws(StatusError) {
        try await host.behavior.enter(
            SimulatedCall(step == .program ? .programRouter : .removeRouter), clock: host.clock)
        host.routers.withLock { $0[work.router] = step == .program ? work.spec : nil }
    }
}
