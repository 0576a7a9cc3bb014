import AgentCore
import ProtocolModel
import Synchronization

/// A kind of the tests' own, as storage would be: things of a size, made one by one. All that a kind costs an agent is
/// this: what is to be seen, what comes next, and how it is done.
struct ExampleKind: KeyedDriver {
    enum Step: String, Sendable, Equatable {
        case make = "make-example"
        case drop = "drop-example"
    }

    let host: ExampleHost
    let kind: ResourceKind

    init(_ host: ExampleHost, kind: ResourceKind = ExampleHost.kind) {
        self.host = host
        self.kind = kind
    }

    func reads(_ spec: ResourceSpec) -> Bool { ExampleHost.size(spec) != nil }

    func observe() async throws(StatusError) -> [AnyID: Int] {
        try await host.enter(.observe)
        return host.made
    }

    func decide(_ situation: KeyedSituation<Self>, _ memory: inout NoMemory) -> KeyedDecision<Self> {
        let isThere = situation.sighting == ExampleHost.size(situation.spec)
        return KeyedDecision(
            phase: isThere ? .ready : .applying, steps: isThere ? [] : [.make], work: situation.spec)
    }

    func decideRemoval(_ id: AnyID, _ sighting: Int?, _ last: ResourceSpec?) -> KeyedDecision<Self> {
        KeyedDecision(
            phase: sighting == nil ? .gone : .applying, steps: sighting == nil ? [] : [.drop],
            work: ExampleHost.spec(id, kind: kind, size: 0))
    }

    func perform(_ step: Step, _ work: ResourceSpec?) async throws(StatusError) {
        guard let work, let size = ExampleHost.size(work) else { return }
        try await host.enter(step == .make ? .make : .drop)
        host.put(step == .make ? size : nil, as: work.key.id)
    }
}

/// Where the examples are.
final class ExampleHost: Sendable {
    enum Call: Sendable { case observe, make, drop }

    static let kind = ResourceKind(rawValue: 900)

    private struct State {
        var made: [AnyID: Int] = [:]
        var delay: @Sendable (Call) -> Duration = { _ in .zero }
        var fault: @Sendable (Call) -> StatusError? = { _ in nil }
    }

    private let clock: any Clock<Duration>
    private let state = Mutex(State())

    init(_ clock: any Clock<Duration>) { self.clock = clock }

    var made: [AnyID: Int] { state.withLock { $0.made } }
    func put(_ size: Int?, as id: AnyID) { state.withLock { $0.made[id] = size } }

    func behave(
        delay: @escaping @Sendable (Call) -> Duration = { _ in .zero },
        fault: @escaping @Sendable (Call) -> StatusError? = { _ in nil }
    ) {
        state.withLock { ($0.delay, $0.fault) = (delay, fault) }
    }

    func enter(_ call: Call) async throws(StatusError) {
        let (delays, faults) = state.withLock { ($0.delay, $0.fault) }
        let (delay, fault) = (delays(call), faults(call))
        if delay > .zero { try? await clock.sleep(for: delay) }
        if let fault { throw fault }
    }

    static func key(_ number: UInt64, kind: ResourceKind = kind) -> ResourceKey {
        ResourceKey(kind: kind, id: AnyID(high: 0, low: number))
    }

    /// As a release that does not know the kind would get it.
    static func spec(_ id: AnyID, kind: ResourceKind = kind, size: UInt8) -> ResourceSpec {
        .opaque(OpaqueSpec(key: ResourceKey(kind: kind, id: id), bytes: [0xA2, 0x38, 1, size], problem: "an example"))
    }

    static func size(_ spec: ResourceSpec) -> Int? {
        guard case .opaque(let spec) = spec, spec.bytes.count == 4 else { return nil }
        return Int(spec.bytes[3])
    }

    static func entry(_ key: ResourceKey, size: UInt8, _ generation: Int64) -> PlanEntry {
        PlanEntry(key: key, generation: generation, spec: spec(key.id, kind: key.kind, size: size))
    }
}
