import AgentCore
import AgentSimulated
import AgentStore
import Logging
import ProtocolModel
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct SimulatedFleetTests {
    @Test("hundreds of agents in one process bring their servers up through the same store and engine")
    func fleet() async throws {
        let agents = 200
        let serversEach: UInt64 = 3
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<agents {
                group.addTask { try await Self.runAgent(UInt64(number), servers: serversEach) }
            }
            try await group.waitForAll()
        }
    }

    @Test("five hundred servers that come one by one are all up, and told of in few messages")
    func crowd() async throws {
        let clock = ContinuousClock()
        let host = SimulatedHost(clock: clock)
        let session = CountingSession()
        let engine = try ReconcileEngine(
            store: try SQLitePlanStore(), drivers: host.drivers, clock: clock, wallClock: ManualClock().wall,
            bootID: "boot", settings: EngineSettings(serversAtOnce: 64),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await engine.load()
        let running = Task { try await engine.run() }
        await engine.connect(session)
        _ = try await engine.apply(PlanUpdate(epoch: 1, revision: 1, isSnapshot: true, entries: []))
        for number in 2...501 {
            let spec = Self.spec(ServerID(high: 1, low: UInt64(number)), number: number)
            let entry = PlanEntry(key: spec.key, generation: Int64(number), spec: spec)
            _ = try await engine.apply(
                PlanUpdate(epoch: 1, revision: Int64(number), isSnapshot: false, entries: [entry]))
        }
        for _ in 0..<60_000 {
            if session.ready == 500 { break }
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(session.ready == 500)
        #expect(session.messages <= 500)
        running.cancel()
        _ = await running.result
    }

    private static func runAgent(_ number: UInt64, servers: UInt64) async throws {
        let clock = ManualClock()
        let host = SimulatedHost(clock: clock)
        let engine = try ReconcileEngine(
            store: try SQLitePlanStore(), drivers: host.drivers, clock: clock, wallClock: clock.wall, bootID: "boot",
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        try await engine.load()
        let running = Task { try await engine.run() }
        await engine.connect(DeafSession())
        let entries = (1...servers).map { server in
            let spec = spec(ServerID(high: number, low: server), number: Int(server))
            return PlanEntry(key: spec.key, generation: Int64(server), spec: spec)
        }
        let update = PlanUpdate(epoch: 1, revision: Int64(servers), isSnapshot: true, entries: entries)
        #expect(try await engine.apply(update) == PlanPosition(epoch: 1, revision: Int64(servers)))
        for _ in 0..<5_000 {
            if await engine.statuses.values.count(where: { $0.phase == .ready }) == Int(servers) { break }
            try await Task.sleep(for: .milliseconds(2))
        }
        #expect(await engine.statuses.values.allSatisfy { $0.phase == .ready })
        #expect(host.domains.count == Int(servers))
        running.cancel()
        _ = await running.result
    }

    private static func spec(_ server: ServerID, number: Int) -> ResourceSpec {
        .server(
            ServerSpec(
                id: server, project: ProjectID(high: 0, low: 1), user: UserID(high: 0, low: 1), name: "vm",
                hostname: "vm", number: number, flavorName: "m1.nano", vcpus: 1, memoryMiB: 64, rootGiB: 0,
                image: ImageSpec(id: ImageID(high: 0, low: 1), sha512: "00", sizeBytes: 1, format: .raw)))
    }
}

/// Counts what it hears.
private final class CountingSession: CoordinatorSession {
    let coordinatorVersion = ""
    private let counts = Mutex((ready: 0, messages: 0))
    var ready: Int { counts.withLock { $0.ready } }
    var messages: Int { counts.withLock { $0.messages } }

    func send(_ statuses: [ResourceStatus]) async {
        counts.withLock { counts in
            counts.messages += 1
            counts.ready += statuses.count { $0.phase == .ready }
        }
    }
    func send(_ result: OperationResult) async {}
    func send(_ report: NodeReport) async {}
    func send(_ health: NodeHealth) async {}
    func upload(
        _ file: any SnapshotFile, as image: ImageID, of operation: OperationID
    ) async throws(UploadFailure) { throw .interrupted("nobody takes it") }
    func read(_ image: ImageSpec, from offset: Int64) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        AsyncThrowingStream { $0.finish() }
    }
}

/// A coordinator that wants to hear nothing.
private struct DeafSession: CoordinatorSession {
    let coordinatorVersion = ""
    func send(_ statuses: [ResourceStatus]) async {}
    func send(_ result: OperationResult) async {}
    func send(_ report: NodeReport) async {}
    func send(_ health: NodeHealth) async {}
    func upload(
        _ file: any SnapshotFile, as image: ImageID, of operation: OperationID
    ) async throws(UploadFailure) { throw .interrupted("nobody takes it") }
    func read(_ image: ImageSpec, from offset: Int64) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        AsyncThrowingStream { $0.finish() }
    }
}
