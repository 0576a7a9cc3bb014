import CoordinatorBlockStorage
import CoordinatorCompute
import CoordinatorConsole
import CoordinatorFleet
import CoordinatorImage
import CoordinatorNetwork
import CoordinatorPlacement
import CoordinatorPlatform
import Logging
import ProtocolModel

/// The compute slice between its real neighbours over one database: two hosts that say what a test has them say, one
/// flavor, one image, one network. Made up are only people and hosts.
struct ComputeCloud: Sendable {
    let slice: ComputeSlice
    let harness: APIHarness
    let hosts: ComputeHosts
    /// What the network refuses next, in place of the real one's answer.
    let refusals: ComputeNetworkRefusals
    let network: NetworkID
    let consoles: ConsoleTokens
    private let images: ImageFolder

    var first: NodeID { hosts.first }
    var second: NodeID { hosts.second }

    static let image = ImageID(high: 0x6666_6666_6666_4666, low: 0x8666_6666_6666_6666)

    /// - Parameter memoryMiB: What each host has for guests.
    init(
        memoryMiB: Int = 16_384, settings: ComputeSettings = ComputeSettings(),
        hosts names: [String] = ["host-a", "host-b"], consoles: ConsoleSettings = ConsoleSettings()
    ) async throws {
        let clock = ManualClock()
        let database = try await APIHarness.database(
            migrations: FleetSlice.migrations + PlacementSlice.migrations + ImageSlice.migrations
                + NetworkSlice.migrations + BlockStorageSlice.migrations + ConsoleSlice.migrations
                + ComputeSlice.migrations)
        var logger = Logger(label: "compute contract")
        logger.logLevel = .error
        let core = FleetCore(clock: clock, logger: logger)
        let placement = PlacementSlice(directory: core.directory)
        let network = NetworkSlice(plan: core.plans, directory: core.directory)
        images = try ImageFolder()
        let image = ImageSlice(
            blobs: try BlobStore(directory: images.path), database: database, clock: clock, limits: FakeImageLimits(),
            logger: logger)
        refusals = ComputeNetworkRefusals(network.service)
        let volumes = BlockStorageSlice(
            image: image.service, placement: placement.service, plans: core.plans, operations: core.operations,
            directory: core.directory)
        self.consoles = ConsoleTokens(settings: consoles)
        slice = ComputeSlice(
            settings: settings, network: refusals, image: image.service, placement: placement.service,
            volumes: volumes.service,
            plans: core.plans, operations: core.operations, directory: core.directory,
            consoles: self.consoles, proxied: network.apis + image.apis + volumes.apis)
        harness = APIHarness(
            services: [slice.api, image.api, placement.api] + network.apis + volumes.apis, database: database,
            clock: clock)
        hosts = try await ComputeHosts(
            core, at: clock.now(), database: database, memoryMiB: memoryMiB, compute: slice, network: network,
            placement: placement, volumes: volumes, names: names,
            logger: logger)
        self.network = try await Self.fill(harness)
    }

    private static func fill(_ harness: APIHarness) async throws -> NetworkID {
        let flavor: JSON = ["name": "m1.nano", "id": "1", "ram": 128, "vcpus": 1, "disk": 1]
        var answers = [await harness.post("/compute/v2.1/flavors", ["flavor": flavor], as: .admin)]
        let image: JSON = [
            "id": .string(Self.image.text), "name": "guest", "disk_format": "raw", "container_format": "bare",
            "visibility": "public", "min_ram": 64, "hw_disk_bus": "scsi"
        ]
        answers.append(await harness.post("/image/v2/images", image, as: .admin))
        answers.append(
            await harness.send(
                .put, "/image/v2/images/\(Self.image)/file", bytes: Array("a disk".utf8), token: TestCaller.admin.token,
                headers: ["Content-Type": "application/octet-stream"]))
        let made = await harness.post(
            "/network/v2.0/networks",
            [
                "network": [
                    "name": "private", "shared": true, "mtu": 1450, "provider:network_type": "local"
                ]
            ], as: .admin)
        let network = made.json["network"]?["id"]?.stringValue ?? ""
        answers.append(made)
        let subnet: JSON = ["network_id": .string(network), "ip_version": 4, "cidr": "10.0.0.0/24"]
        answers.append(await harness.post("/network/v2.0/subnets", ["subnet": subnet], as: .admin))
        for answer in answers where answer.status >= 300 {
            throw Failure(text: "\(answer.status) \(answer.json.text)")
        }
        guard let id = NetworkID(network) else { throw Failure(text: "no network") }
        return id
    }

    static func version(_ minor: Int) -> [String: String] { ["OpenStack-API-Version": "compute 2.\(minor)"] }

    /// The `server` of a create call.
    static func body(_ extra: [String: JSON] = [:]) -> JSON {
        var server: [String: JSON] = ["name": "web", "flavorRef": "1", "imageRef": .string(image.text)]
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

    /// What a host says of the server in its plan's newest generation; where none is named, the first that has it.
    func report(
        _ id: ServerID, _ phase: ResourceStatus.Phase, power: ServerDetails.PowerState = .none,
        error: StatusError? = nil, interfaces: [PortID] = [], volumes: [VolumeID] = [],
        from node: NodeID? = nil
    ) async throws {
        let node = if let node { node } else { try await host(of: id) }
        let status = ResourceStatus(
            key: .server(id), generation: try await entry(id, on: node)?.generation ?? 0, phase: phase,
            details: .server(
                ServerDetails(power: power, domainName: "instance-00000001", interfaces: interfaces, volumes: volumes)),
            error: error,
            steps: [StatusStep(name: "define", startedAt: harness.clock.now(), durationMicroseconds: 700)])
        try await hosts.say(status, from: node, at: harness.clock.now())
    }

    /// The coordinator listens to its hosts for a while longer, and then to what nobody said.
    func expire() async throws {
        for _ in 0..<90 {
            harness.clock.advance(by: .seconds(1))
            hosts.listen(at: harness.clock.now())
        }
        let now = harness.clock.now()
        let watchdog = slice.watchdog
        try await harness.database.write { _ = try watchdog.expire(at: now, in: $0) }
    }

    // MARK: What is written

    struct Entry: Sendable, Hashable {
        var generation: Int64
        var isWanted: Bool
    }

    /// The server's line in a host's plan.
    func entry(_ server: ServerID, on node: NodeID? = nil) async throws -> Entry? {
        let node = node ?? first
        return try await harness.database.read { reader in
            try reader.first(
                "SELECT generation, wanted FROM plan_entries WHERE node = ? AND kind = ? AND resource = ?",
                [node, ResourceKind.server.rawValue, server]
            ) { Entry(generation: $0.integer(0), isWanted: $0.bool(1)) }
        }
    }

    /// The second host where it alone has the server, and else the first.
    private func host(of server: ServerID) async throws -> NodeID {
        let isElsewhere = try await entry(server, on: second) != nil
        return try await entry(server, on: first) == nil && isElsewhere ? second : first
    }

    /// Where the server's ports are; `nil` where it has none.
    func portHost(_ server: ServerID) async throws -> String? {
        try await harness.database.read { reader in
            try reader.first("SELECT host FROM network_ports WHERE device_id = ?", [server]) { $0.text(0) }
        }
    }

    /// Nothing is held for a server any more: neither ports nor capacity.
    func holdsNothing(for id: ServerID) async throws -> Bool {
        let claims = try await harness.database.read {
            try $0.count("SELECT COUNT(*) FROM placement_consumers WHERE uuid = ?", [id])
        }
        return try await portHost(id) == nil && claims == 0
    }

    func spec(_ id: ServerID, on node: NodeID? = nil) async throws -> ServerSpec? {
        let (provider, node) = (slice.provider, node ?? first)
        let specs = try await harness.database.read { try provider.specs(of: [id.cast()], on: node, in: $0) }
        guard case .server(let spec)? = specs[id.cast()] else { return nil }
        return spec
    }
}

/// A folder for image data that goes with its test.
private final class ImageFolder: Sendable {
    let path: String
    private let root: String

    init() throws {
        root = "/tmp/skerry-compute-\(ImageID.random().short)"
        try TestFiles.makeFolder(root)
        path = root + "/images"
    }

    deinit { TestFiles.remove(root) }
}
