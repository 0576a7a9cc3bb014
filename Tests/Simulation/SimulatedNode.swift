import AgentCore
import AgentDaemon
import AgentSimulated
import AgentStore
import Logging
import NIOCore
import ProtocolLink
import ProtocolModel
import Synchronization
import TestsSupportRandomness

/// A host without a hypervisor, and the real agent on it, again and again: host, stored plan and cable outlive it.
final class SimulatedNode {
    let name: String
    let host: SimulatedHost
    let cable: Cable
    private(set) var store: SQLitePlanStore
    private let clock: ManualClock
    private let group: any EventLoopGroup
    private let port: Int
    private var identity: NodeIdentity?
    private var boots = 1
    private var hasLostPlan = false
    /// Whether the next agent is of a release that knows neither security groups nor hard reboots.
    private(set) var isOfOlderRelease = false
    private var run: (life: Life, task: Task<Void, any Error>)?
    private let troubles: Troubles

    /// How the host's drivers fare, for the calls of whatever agent lives.
    private final class Troubles: Sendable {
        struct State: Sendable {
            var chance: SeededGenerator
            /// Calls that fail, of a hundred.
            var percent = 0
            var isSlow = false
        }

        private let state: Mutex<State>

        init(_ chance: SeededGenerator) { state = Mutex(State(chance: chance)) }

        func set(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }
        func delay() -> Duration {
            state.withLock { $0.isSlow ? .milliseconds($0.chance.below(4_000)) : .zero }
        }
        func isDiskFull() -> Bool { state.withLock { $0.chance.isHit(percent: 20) } }
        func isHit() -> Bool { state.withLock { $0.chance.isHit(percent: $0.percent) } }
    }

    init(name: String, clock: ManualClock, group: any EventLoopGroup, seed: UInt64) async throws {
        self.name = name
        self.clock = clock
        self.group = group
        host = SimulatedHost(capacity: SimulatedCapacity(vcpus: 8, memoryMiB: 8_192, diskGiB: 100), clock: clock)
        store = try SQLitePlanStore()
        cable = Cable(group: group)
        port = try await cable.lay()
        troubles = Troubles(SeededGenerator(seed: seed))
    }

    var isRunning: Bool { run.map { !$0.life.isOver } ?? false }
    /// Dead, but its remains are not gone yet.
    var hasDied: Bool { run?.life.isOver ?? false }

    private var endpoint: LinkEndpoint { LinkEndpoint(host: "127.0.0.1", port: port) }

    func join(_ token: JoinToken) async throws {
        identity = try await LinkClient.join(
            endpoint, token: token, hostname: name, request: try CertificateRequest(), group: group)
    }

    /// Asks for an image as the agent does, over a session of its own, which takes the place of the agent's.
    func canRead(_ image: ImageID, sha512: String) async throws -> Bool {
        guard let identity else { return false }
        let hello = AgentHello(node: identity.node, agentVersion: "test", position: .none, bootID: "boot-\(boots)")
        let connection = try await LinkClient.connect(endpoint, identity: identity, hello: hello, group: group)
        defer { connection.close(.finished) }
        do {
            for try await _ in try await connection.fetchImage(image, sha512: sha512, from: 0) {}
            return true
        } catch let refusal as LinkRefusal where refusal.code == .notFound {
            return false
        }
    }

    func start() throws {
        guard run == nil, let identity else { return }
        let cable = cable
        cable.mend()
        let life = Life(steps: nil) { cable.cut() }
        host.behavior = behavior(life)
        let bootID = "boot-\(boots)"
        let logger = SimulationLog.logger(name)
        let engine = try ReconcileEngine(
            store: MortalStore(base: store, life: life), drivers: host.drivers, clock: clock, wallClock: clock.wall,
            bootID: bootID, logger: logger)
        let agent = NodeAgent(
            engine: engine,
            describer: SimulatedDescriber(hostname: name, configuration: Configuration(), host: host),
            folder: StateFolder(root: "/nonexistent"), endpoint: endpoint, identity: identity, bootID: bootID,
            healthEvery: .seconds(10), group: group, workers: Self.workers, clock: clock, wallClock: clock.wall,
            logger: logger, capabilities: isOfOlderRelease ? Self.olderRelease : nil)
        run = (life, Task { try await agent.run() })
    }

    private static let olderRelease = AgentCapabilities(
        kinds: ResourceKind.allCases.filter { $0 != .securityGroup }, operations: [.softReboot, .consoleOutput])

    /// Ends the agent; the next one is of another release.
    func change(toOlderRelease isOlder: Bool) {
        guard isOlder != isOfOlderRelease else { return }
        isOfOlderRelease = isOlder
        run?.life.end()
    }

    private static let workers = BlockingWorkers(label: "simulation.files", count: 1)

    func die(after steps: Int) { run?.life.shorten(to: steps) }

    /// The host's power fails: the agent and all guests are gone at once.
    func losePower() {
        run?.life.end()
        host.loseThePower()
        boots += 1
    }

    /// The agent dies, and the disk with its plan is lost; guests and their disks are not.
    func losePlan() {
        run?.life.end()
        hasLostPlan = true
    }

    /// Takes a dead agent's tasks away, so that a new one can begin.
    func bury() async {
        guard let run, run.life.isOver else { return }
        run.task.cancel()
        _ = await run.task.result
        self.run = nil
        guard hasLostPlan, let empty = try? SQLitePlanStore() else { return }
        hasLostPlan = false
        try? store.close()
        store = empty
    }

    func end() async {
        run?.life.end()
        await bury()
        await cable.remove()
        try? store.close()
    }

    func setTrouble(percent: Int) { troubles.set { $0.percent = percent } }
    func setSlow(_ isSlow: Bool) { troubles.set { $0.isSlow = isSlow } }

    /// A guest turns itself off, if one runs.
    func powerOffAGuest(_ chance: inout SeededGenerator) {
        let running = host.domains.filter { host.power(of: $0) == .running }.sorted { $0.text < $1.text }
        guard !running.isEmpty else { return }
        host.powerOff(running[chance.below(running.count)])
    }

    private func behavior(_ life: Life) -> SimulatedBehavior {
        SimulatedBehavior(
            delay: { [troubles] _ in
                // A dead agent's call never begins, and its task is soon taken away.
                guard life.step() else { return .seconds(1_000_000) }
                return troubles.delay()
            },
            fault: { [troubles] call in
                guard !life.isOver, !troubles.isHit() else {
                    // Now and then the disk is full, which is not tried again.
                    return StatusError(
                        code: troubles.isDiskFull() ? .noSpace : .hostFailure,
                        message: "The host is in trouble: try another.", detail: "\(call)")
                }
                return nil
            },
            shutdownTakes: .seconds(2), preparesTaps: true, readsImages: true)
    }
}
