import CoordinatorBlockStorage
import CoordinatorFleet
import CoordinatorImage
import CoordinatorPlacement
import CoordinatorPlatform
import Logging
import ProtocolModel

/// The block storage slice between its real neighbours over one database: hosts with pools that say what a test has them
/// say, and an image. Made up are only people and hosts.
struct VolumeCloud: Sendable {
    let slice: BlockStorageSlice
    let harness: APIHarness
    let hosts: VolumeHosts
    let imageService: ImageService
    private let images: VolumeImageFolder

    var first: NodeID { hosts.first }
    var second: NodeID { hosts.second }

    static let image = ImageID(high: 0x7777_7777_7777_4777, low: 0x8777_7777_7777_7777)
    /// Of ``TestCaller/member`` and most others.
    static let base = "/volume/v3/\(TestCaller.project.compact)"

    init(settings: BlockStorageSettings = BlockStorageSettings()) async throws {
        let clock = ManualClock()
        let database = try await APIHarness.database(
            migrations: FleetSlice.migrations + PlacementSlice.migrations + ImageSlice.migrations
                + BlockStorageSlice.migrations)
        var logger = Logger(label: "volume contract")
        logger.logLevel = .error
        let core = FleetCore(clock: clock, logger: logger)
        let placement = PlacementSlice(directory: core.directory)
        images = try VolumeImageFolder()
        let image = ImageSlice(
            blobs: try BlobStore(directory: images.path), database: database, clock: clock, limits: FakeImageLimits(),
            logger: logger)
        slice = BlockStorageSlice(
            settings: settings, image: image.service, placement: placement.service, plans: core.plans,
            operations: core.operations, directory: core.directory)
        imageService = image.service
        harness = APIHarness(
            services: slice.apis + [image.api, placement.api], database: database, clock: clock)
        hosts = try await VolumeHosts(
            core, at: clock.now(), database: database, parts: [placement, slice], logger: logger)
        try await fill()
    }

    private func fill() async throws {
        let image: JSON = [
            "id": .string(Self.image.text), "name": "guest", "disk_format": "raw", "container_format": "bare",
            "visibility": "public", "min_disk": 1, "hw_disk_bus": "scsi"
        ]
        var answers = [await harness.post("/image/v2/images", image, as: .admin)]
        answers.append(
            await harness.send(
                .put, "/image/v2/images/\(Self.image)/file", bytes: Array("a disk".utf8), token: TestCaller.admin.token,
                headers: ["Content-Type": "application/octet-stream"]))
        for answer in answers where answer.status >= 300 {
            throw Failure(text: "\(answer.status) \(answer.json.text)")
        }
    }

    struct Failure: Error {
        var text: String
    }

    static func version(_ minor: Int) -> [String: String] { ["OpenStack-API-Version": "volume 3.\(minor)"] }

    static func base(of caller: TestCaller) -> String {
        "/volume/v3/\(caller == .stranger ? TestCaller.otherProject.compact : TestCaller.project.compact)"
    }

    // MARK: Asking

    func get(_ path: String, as caller: TestCaller = .member, minor: Int = 0) async -> Answer {
        await harness.get(Self.base(of: caller) + path, as: caller, Self.version(minor))
    }

    func post(_ path: String, _ body: JSON, as caller: TestCaller = .member, minor: Int = 0) async -> Answer {
        await harness.post(Self.base(of: caller) + path, body, as: caller, Self.version(minor))
    }

    func put(_ path: String, _ body: JSON, as caller: TestCaller = .member, minor: Int = 0) async -> Answer {
        await harness.put(Self.base(of: caller) + path, body, as: caller, Self.version(minor))
    }

    func delete(_ path: String, as caller: TestCaller = .member, minor: Int = 0) async -> Answer {
        await harness.delete(Self.base(of: caller) + path, as: caller, Self.version(minor))
    }

    func create(
        _ members: [String: JSON] = ["size": 1], as caller: TestCaller = .member, minor: Int = 0
    ) async -> Answer {
        await post("/volumes", ["volume": .object(members)], as: caller, minor: minor)
    }

    /// Creates a volume and lets its host report it made.
    func available(
        _ members: [String: JSON] = ["size": 1], as caller: TestCaller = .member
    ) async throws -> VolumeID {
        let id = try Self.id(await create(members, as: caller))
        try await report(id, .ready)
        return id
    }

    static func id(_ answer: Answer) throws -> VolumeID {
        guard let text = answer.json["volume"]?["id"]?.stringValue, let id = VolumeID(text) else {
            throw Failure(text: "\(answer.status) \(answer.json.text)")
        }
        return id
    }

    func snapshot(of volume: VolumeID, force: Bool = false) async throws -> VolumeSnapshotID {
        let answer = await post(
            "/snapshots", ["snapshot": ["volume_id": .string(volume.text), "force": .bool(force)]])
        guard let text = answer.json["snapshot"]?["id"]?.stringValue, let id = VolumeSnapshotID(text) else {
            throw Failure(text: "\(answer.status) \(answer.json.text)")
        }
        try await report(id, .ready)
        return id
    }

    func act(_ id: VolumeID, _ body: JSON, as caller: TestCaller = .member, minor: Int = 0) async -> Answer {
        await post("/volumes/\(id)/action", body, as: caller, minor: minor)
    }

    func show(_ id: VolumeID, as caller: TestCaller = .admin, minor: Int = 0) async -> JSON {
        await get("/volumes/\(id)", as: caller, minor: minor).json["volume"] ?? .null
    }

    func status(_ id: VolumeID) async -> String { await show(id)["status"]?.stringValue ?? "none" }
    func status(_ id: VolumeSnapshotID) async -> String {
        await get("/snapshots/\(id)", as: .admin).json["snapshot"]?["status"]?.stringValue ?? "none"
    }

    // MARK: What hosts say

    func report(
        _ id: VolumeID, _ phase: ResourceStatus.Phase, sizeGiB: Int = 1, progress: Int = 100,
        error: StatusError? = nil
    ) async throws {
        try await report(
            .volume(id), phase,
            details: .volume(VolumeDetails(sizeGiB: sizeGiB, allocatedBytes: 0, progressPercent: progress)),
            error: error)
    }

    func report(_ id: VolumeSnapshotID, _ phase: ResourceStatus.Phase, error: StatusError? = nil) async throws {
        try await report(.volumeSnapshot(id), phase, details: .none, error: error)
    }

    private func report(
        _ key: ResourceKey, _ phase: ResourceStatus.Phase, details: ResourceStatus.Details, error: StatusError?
    ) async throws {
        guard let entry = try await entry(key) else { throw Failure(text: "\(key) is on no plan") }
        let status = ResourceStatus(
            key: key, generation: entry.generation, phase: phase, details: details, error: error, steps: [])
        try await hosts.say(status, from: entry.node, at: harness.clock.now())
    }

    /// The coordinator listens to its hosts for a while longer, and then to what nobody said.
    func expire(after seconds: Int = 1900) async throws {
        for _ in 0..<seconds {
            harness.clock.advance(by: .seconds(1))
            hosts.listen(at: harness.clock.now())
        }
        let now = harness.clock.now()
        let watchdogs = slice.watchdogs
        try await harness.database.write { for watchdog in watchdogs { _ = try watchdog.expire(at: now, in: $0) } }
    }

    // MARK: What is written

    struct Entry: Sendable, Hashable {
        var node: NodeID
        var generation: Int64
        var isWanted: Bool
    }

    /// The line of the plan of the host that is to have it, or the newest of those that had it.
    func entry(_ key: ResourceKey) async throws -> Entry? {
        try await harness.database.read { reader in
            try reader.first(
                """
                SELECT node, generation, wanted FROM plan_entries WHERE kind = ? AND resource = ?
                ORDER BY wanted DESC, generation DESC
                """, [key.kind.rawValue, key.id]
            ) { Entry(node: try $0.id(0), generation: $0.integer(1), isWanted: $0.bool(2)) }
        }
    }

    func spec(_ id: VolumeID) async throws -> VolumeSpec? {
        guard let entry = try await entry(.volume(id)) else { return nil }
        let provider = slice.providers[0]
        let specs = try await harness.database.read { try provider.specs(of: [id.cast()], on: entry.node, in: $0) }
        guard case .volume(let spec)? = specs[id.cast()] else { return nil }
        return spec
    }

    /// GiB that are claimed in pools for it.
    func claimed(_ id: VolumeID) async throws -> Int {
        try await harness.database.read { reader in
            try reader.count(
                """
                SELECT COALESCE(SUM(a.used), 0) FROM placement_allocations a
                JOIN placement_consumers c ON c.id = a.consumer_id WHERE c.uuid = ?
                """, [id])
        }
    }

    /// As the administrator of the slice's other tenants: the compute service.
    func origin(_ caller: TestCaller = .member) -> VolumeOrigin {
        VolumeOrigin(
            permissions: Permissions(caller: caller.caller, policy: slice.apis[0].policy),
            project: caller.caller.project ?? TestCaller.project, requestID: "req-1", now: harness.clock.now())
    }
}

/// A folder for image data that goes with its test.
private final class VolumeImageFolder: Sendable {
    let path: String
    private let root: String

    init() throws {
        root = "/tmp/skerry-volume-\(ImageID.random().short)"
        try TestFiles.makeFolder(root)
        path = root + "/images"
    }

    deinit { TestFiles.remove(root) }
}
