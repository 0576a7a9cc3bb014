import CoordinatorCompute
import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// The compute slice between fakes of its neighbours, with two hosts and one flavor.
struct ComputeCloud: Sendable {
    let network = FakeNetwork()
    let placement: FakePlacement
    let fleet = FakeFleet()
    let slice: ComputeSlice
    let harness: APIHarness

    init(capacity: Int = 100, settings: ComputeSettings = ComputeSettings()) async throws {
        placement = FakePlacement(capacity: capacity)
        slice = ComputeSlice(
            settings: settings, network: network, image: FakeImages(), placement: placement, plans: fleet,
            operations: fleet, directory: fleet)
        let database = try await APIHarness.database(migrations: FleetSlice.migrations + ComputeSlice.migrations)
        harness = APIHarness(services: [slice.api], database: database)
        _ = await harness.post(
            "/compute/v2.1/flavors",
            ["flavor": ["name": "m1.nano", "id": "1", "ram": 128, "vcpus": 1, "disk": 1]], as: .admin)
    }

    static func version(_ minor: Int) -> [String: String] { ["OpenStack-API-Version": "compute 2.\(minor)"] }

    /// The `server` of a create call.
    static func body(_ extra: [String: JSON] = [:]) -> JSON {
        var server: [String: JSON] = [
            "name": "web", "flavorRef": "1", "imageRef": .string(FakeImages.id.text)
        ]
        server.merge(extra) { _, new in new }
        return ["server": .object(server)]
    }

    func create(_ extra: [String: JSON] = [:], as caller: TestCaller = .member, minor: Int = 1) async -> Answer {
        await harness.post("/compute/v2.1/servers", Self.body(extra), as: caller, Self.version(minor))
    }

    /// Creates a server and lets its host report it running.
    func running(_ extra: [String: JSON] = [:]) async throws -> ServerID {
        let answer = await create(extra)
        let id = try Self.id(answer)
        try await report(id, .ready, power: .running)
        return id
    }

    static func id(_ answer: Answer) throws -> ServerID {
        guard let text = answer.json["server"]?["id"]?.stringValue, let id = ServerID(text) else {
            throw Failure(text: "\(answer.status) \(answer.json.text)")
        }
        return id
    }

    struct Failure: Error {
        var text: String
    }

    func show(_ id: ServerID, as caller: TestCaller = .member, minor: Int = 1) async -> JSON {
        await harness.get("/compute/v2.1/servers/\(id)", as: caller, Self.version(minor)).json["server"] ?? .null
    }

    func status(_ id: ServerID) async -> String { await show(id)["status"]?.stringValue ?? "none" }

    func act(_ id: ServerID, _ body: JSON, as caller: TestCaller = .member, minor: Int = 1) async -> Answer {
        await harness.post("/compute/v2.1/servers/\(id)/action", body, as: caller, Self.version(minor))
    }

    /// What the host of a server says of the plan's newest generation.
    func report(
        _ id: ServerID, _ phase: ResourceStatus.Phase, power: ServerDetails.PowerState = .none,
        error: StatusError? = nil, from node: NodeID = FakeFleet.first, generation: Int64? = nil
    ) async throws {
        let status = ResourceStatus(
            key: .server(id), generation: generation ?? fleet.entry(id, on: node)?.generation ?? 0, phase: phase,
            details: .server(ServerDetails(power: power, domainName: "instance-00000001")), error: error,
            steps: [StatusStep(name: "define", startedAt: harness.clock.now(), durationMicroseconds: 700)])
        let now = harness.clock.now()
        let consumer = slice.consumer
        try await harness.database.write { try consumer.consume(status, from: node, at: now, in: $0) }
    }

    func expire() async throws {
        let now = harness.clock.now()
        let watchdog = slice.watchdog
        try await harness.database.write { _ = try watchdog.expire(at: now, in: $0) }
    }

    /// Nothing is held for a server any more.
    func holdsNothing(for id: ServerID) -> Bool {
        network.state.withLock { $0.ports[id] == nil } && placement.claims.withLock { $0[id.cast()] == nil }
    }
}
