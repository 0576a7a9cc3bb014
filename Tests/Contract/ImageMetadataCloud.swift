import CoordinatorImage
import CoordinatorPlatform
import Logging
import ProtocolModel
import Synchronization

/// The image slice over a database in memory, for tests of images' metadata. The folder of its blobs goes with it.
final class ImageMetadataCloud: Sendable {
    let slice: ImageSlice
    let harness: APIHarness
    let limits: FakeImageLimits
    private let root: String

    /// - Parameter shared: The database and the clock of a cloud with more services than this one.
    init(
        in shared: (database: any StoreEngine, clock: ManualClock)? = nil,
        _ configure: (inout ImageMetadataSettings) throws -> Void = { _ in }
    ) async throws {
        let database: any StoreEngine
        if let shared {
            database = shared.database
        } else {
            database = try await APIHarness.database(migrations: ImageSlice.migrations)
        }
        let clock = shared?.clock ?? ManualClock()
        var metadata = ImageMetadataSettings()
        try configure(&metadata)
        limits = FakeImageLimits()
        var logger = Logger(label: "image contract")
        logger.logLevel = .error
        root = "/tmp/skerry-image-metadata-\(ImageID.random().short)"
        try TestFiles.makeFolder(root)
        slice = ImageSlice(
            blobs: try BlobStore(directory: root + "/images"),
            database: database, clock: clock, metadata: metadata, limits: limits, logger: logger)
        harness = APIHarness(services: [slice.api], database: database, clock: clock)
    }

    deinit { TestFiles.remove(root) }

    static let projectID = TestCaller.project.compact
    static let strangerID = TestCaller.otherProject.compact

    func create(_ extra: [String: JSON] = [:], as caller: TestCaller = .member) async -> JSON {
        var body: [String: JSON] = ["name": "image", "disk_format": "raw", "container_format": "bare"]
        body.merge(extra) { _, new in new }
        return await harness.post("/image/v2/images", .object(body), as: caller).json
    }

    /// Creates an image and says its id.
    func image(_ extra: [String: JSON] = [:], as caller: TestCaller = .member) async -> String {
        await create(extra, as: caller)["id"]?.stringValue ?? "none"
    }

    func upload(_ id: String, _ bytes: [UInt8] = Array("some data".utf8), as caller: TestCaller = .member) async
        -> Answer
    {
        await harness.send(
            .put, "/image/v2/images/\(id)/file", bytes: bytes, token: caller.token,
            headers: ["Content-Type": "application/octet-stream"])
    }

    func show(_ id: String, as caller: TestCaller = .member) async -> Answer {
        await harness.get("/image/v2/images/\(id)", as: caller)
    }

    func patch(_ id: String, _ body: JSON, as caller: TestCaller = .member) async -> Answer {
        await harness.patch(
            "/image/v2/images/\(id)", body, as: caller,
            ["Content-Type": "application/openstack-images-v2.1-json-patch"])
    }

    /// The ids of a list.
    func list(_ query: String = "", as caller: TestCaller = .member) async -> [String] {
        let images = await harness.get("/image/v2/images\(query)", as: caller).json["images"]?.arrayValue ?? []
        return images.compactMap { $0["id"]?.stringValue }
    }
}

/// Limits that a test sets.
final class FakeImageLimits: ImageLimits {
    private let values = Mutex<[String: Int64]>([:])

    func set(_ name: String, _ value: Int64?) { values.withLock { $0[name] = value } }

    func limit(_ name: String, project: ProjectID, in reader: any SQLReader) throws -> Int64? {
        values.withLock { $0[name] }
    }
}
