import AgentCore
import AgentSimulated
import AgentStore
import Logging
import ProtocolModel
import Synchronization

/// An agent on a simulated host, without a coordinator but with its ears.
final class EngineHarness: Sendable {
    let host: SimulatedHost
    let store: any PlanStore
    let clock: ManualClock
    let engine: ReconcileEngine
    let session = RecordingSession()
    private let task: Mutex<Task<Void, any Error>?> = Mutex(nil)

    /// - Parameter owners: Instead of those that the drivers bring.
    init(
        host: SimulatedHost? = nil, drivers: HostDrivers? = nil, clock: ManualClock = ManualClock(),
        store: (any PlanStore)? = nil, behavior: SimulatedBehavior = SimulatedBehavior(), bootID: String = "boot-1",
        settings: EngineSettings = EngineSettings(sendInterval: .zero),
        owners: (@Sendable (EngineCore) -> [any KindOwner])? = nil
    ) throws {
        self.clock = clock
        self.host = host ?? SimulatedHost(behavior: behavior, clock: clock)
        self.store = try store ?? SQLitePlanStore()
        let drivers = drivers ?? self.host.drivers
        engine = try ReconcileEngine(
            store: self.store, clock: clock, wallClock: clock.wall, bootID: bootID, settings: settings,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            owners: owners ?? { drivers.owners($0) })
    }

    func start(connected: Bool = true) async throws {
        try await engine.load()
        if connected { await engine.connect(session) }
        let engine = engine
        task.withLock { $0 = Task { try await engine.run() } }
    }

    func stop() async {
        let running = task.withLock { task in
            defer { task = nil }
            return task
        }
        running?.cancel()
        _ = await running?.result
    }

    /// One server with its port, network and group.
    static func serverEntries(_ server: ServerSpec, from generation: Int64) -> [PlanEntry] {
        var entries = [
            entry(.network(network), generation), entry(.securityGroup(group), generation),
            entry(.server(server), generation)
        ]
        for interface in server.interfaces {
            entries.append(
                entry(.port(makePort(interface.port.low, server: server.id.low)), generation))
        }
        return entries
    }

    func snapshot(_ entries: [PlanEntry], revision: Int64 = 1) async throws {
        _ = try await engine.apply(PlanUpdate(epoch: 1, revision: revision, isSnapshot: true, entries: entries))
    }

    func delta(_ entries: [PlanEntry], revision: Int64) async throws {
        _ = try await engine.apply(PlanUpdate(epoch: 1, revision: revision, isSnapshot: false, entries: entries))
    }

    /// Waits until the condition holds; time of the manual clock stands still meanwhile.
    func until(_ condition: @Sendable (EngineHarness) async -> Bool) async -> Bool {
        for _ in 0..<4_000 {
            if await condition(self) { return true }
            try? await Task.sleep(for: .microseconds(500))
        }
        return false
    }

    func phase(_ key: ResourceKey) async -> ResourceStatus.Phase? { await engine.statuses[key]?.phase }

    func reaches(_ phase: ResourceStatus.Phase, _ key: ResourceKey, generation: Int64? = nil) async -> Bool {
        await until { harness in
            guard let status = await harness.engine.statuses[key] else { return false }
            return status.phase == phase && (generation == nil || status.generation == generation)
        }
    }

    func reaches(power: ServerDetails.PowerState, _ server: ServerID, generation: Int64) async -> Bool {
        await until { harness in
            guard let status = await harness.engine.statuses[.server(server)], status.phase == .ready,
                case .server(let details) = status.details
            else { return false }
            return details.power == power && status.generation == generation
        }
    }
}

/// Remembers what an agent says.
final class RecordingSession: CoordinatorSession {
    private struct Heard {
        var statuses: [ResourceStatus] = []
        var results: [OperationResult] = []
        var uploads: [ImageID: [UInt8]] = [:]
        var uploadFailures: [UploadFailure] = []
        /// Statuses that came after the last result.
        var statusesSinceResult: [ResourceStatus] = []
    }

    private let heard = Mutex(Heard())
    let coordinatorVersion = "9.9.9"

    var statuses: [ResourceStatus] { heard.withLock { $0.statuses } }
    var results: [OperationResult] { heard.withLock { $0.results } }
    /// What came for images, whole.
    var uploads: [ImageID: [UInt8]] { heard.withLock { $0.uploads } }
    /// How the next uploads fail.
    func failUploads(_ failures: [UploadFailure]) { heard.withLock { $0.uploadFailures = failures } }

    func upload(
        _ file: any SnapshotFile, as image: ImageID, of operation: OperationID
    ) async throws(UploadFailure) {
        let failure = heard.withLock { heard in
            heard.uploadFailures.isEmpty ? nil : heard.uploadFailures.removeFirst()
        }
        if let failure { throw failure }
        var bytes: [UInt8] = []
        do throws(StatusError) {
            while bytes.count < Int(file.sizeBytes) {
                bytes += try await file.read(at: Int64(bytes.count), count: 100_000)
            }
        } catch {
            throw .refused(error)
        }
        let whole = bytes
        heard.withLock { $0.uploads[image] = whole }
    }

    /// Who looks at consoles, by their session.
    private let viewers = Mutex<[ConsoleID: FakeViewer]>([:])
    func viewer(_ session: ConsoleID) -> FakeViewer? { viewers.withLock { $0[session] } }

    func openConsole(_ session: ConsoleID) async throws -> any ByteChannel {
        let viewer = FakeViewer()
        viewers.withLock { $0[session] = viewer }
        return viewer
    }

    var statusesSinceResult: [ResourceStatus] { heard.withLock { $0.statusesSinceResult } }

    func send(_ statuses: [ResourceStatus]) async {
        heard.withLock { heard in
            heard.statuses += statuses
            heard.statusesSinceResult += statuses
        }
    }
    func send(_ result: OperationResult) async {
        heard.withLock { heard in
            heard.results.append(result)
            heard.statusesSinceResult = []
        }
    }
    func send(_ report: NodeReport) async {}
    func send(_ health: NodeHealth) async {}
    func read(_ image: ImageSpec, from offset: Int64) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        AsyncThrowingStream { continuation in
            continuation.yield([UInt8](repeating: 0, count: Int(image.sizeBytes - offset)))
            continuation.finish()
        }
    }
}
