import CoordinatorImage
import CoordinatorPlatform
import HTTPTypes
import Logging
import NIOCore
import ProtocolModel
import Synchronization

/// The image slice with a folder for its blobs, for tests of images' data.
final class ImageDataCloud: Sendable {
    let folder: String
    let slice: ImageSlice
    let harness: APIHarness
    let limits = FakeImageLimits()
    /// What the service, unlike the API, reads and writes with.
    let disk: FullDiskDatabase
    private let root: String

    init(_ configure: (inout ImageSettings) -> Void = { _ in }) async throws {
        let database = try await APIHarness.database(migrations: ImageSlice.migrations)
        let clock = ManualClock()
        var settings = ImageSettings()
        configure(&settings)
        var logger = Logger(label: "image data")
        logger.logLevel = .critical
        root = "/tmp/skerry-image-data-\(ImageID.random().short)"
        try TestFiles.makeFolder(root)
        folder = root + "/images"
        disk = FullDiskDatabase(database)
        slice = ImageSlice(
            blobs: try BlobStore(directory: folder), database: disk, clock: clock, settings: settings, limits: limits,
            logger: logger)
        harness = APIHarness(services: [slice.api], database: database, clock: clock)
    }

    deinit { TestFiles.remove(root) }

    /// The same database and files after a crash.
    func restarted() async throws -> ImageSlice {
        var logger = Logger(label: "image data")
        logger.logLevel = .critical
        let slice = ImageSlice(
            blobs: try BlobStore(directory: folder), database: harness.database, clock: harness.clock, logger: logger)
        try await slice.service.recover()
        return slice
    }

    func create(_ format: String = "raw", _ extra: [String: JSON] = [:], as caller: TestCaller = .member) async
        -> String
    {
        var body: [String: JSON] = ["name": "image", "disk_format": JSON(format), "container_format": "bare"]
        body.merge(extra) { _, new in new }
        let answer = await harness.post("/image/v2/images", .object(body), as: caller)
        return answer.json["id"]?.stringValue ?? "none: \(answer.status) \(answer.json.text)"
    }

    func put(
        _ id: String, _ what: String, _ bytes: [UInt8], _ more: [String: String] = [:], range: String? = nil,
        as caller: TestCaller = .member
    ) async -> Answer {
        var headers = ["Content-Type": "application/octet-stream"]
        if let range { headers["Content-Range"] = range }
        headers.merge(more) { _, new in new }
        return await harness.send(
            .put, "/image/v2/images/\(id)/\(what)", bytes: bytes, token: caller.token, headers: headers)
    }

    func put(
        _ id: String, _ bytes: [UInt8], _ more: [String: String] = [:], range: String? = nil,
        as caller: TestCaller = .member
    ) async -> Answer { await put(id, "file", bytes, more, range: range, as: caller) }

    func image(_ id: String, as caller: TestCaller = .member) async -> JSON {
        await harness.get("/image/v2/images/\(id)", as: caller).json
    }

    func status(_ id: String) async -> String { await image(id)["status"]?.stringValue ?? "none" }

    func importImage(_ id: String, _ body: JSON, as caller: TestCaller = .member) async -> Answer {
        await harness.post("/image/v2/images/\(id)/import", body, as: caller)
    }

    /// Runs imports to their end, retries included.
    func finishImports() async {
        for _ in 0..<8 {
            await slice.jobs.pass()
            harness.clock.advance(by: .seconds(70))
        }
    }

    /// The names in the blob store, sorted.
    func files() -> [String] { TestFiles.names(folder) }
    /// How many contents and how many parts there are.
    func counts() -> [Int] {
        let names = files()
        return [names.count { !$0.hasPrefix("part-") }, names.count { $0.hasPrefix("part-") }]
    }
}

/// A database whose disk can be full, and before whose writes something else can happen.
final class FullDiskDatabase: SQLDatabase {
    private let database: any SQLDatabase
    private let isFull = Mutex<@Sendable () -> Bool>({ false })
    private let intrusion = Mutex<(@Sendable () async throws -> Void)?>(nil)

    init(_ database: any SQLDatabase) { self.database = database }

    /// Asked before each write.
    func fills(while isFull: @escaping @Sendable () -> Bool) { self.isFull.withLock { $0 = isFull } }

    /// Happens once, before the next write.
    func intrude(_ work: @escaping @Sendable () async throws -> Void) { intrusion.withLock { $0 = work } }

    func read<T: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> T) async throws -> T {
        try await database.read(body)
    }

    func write<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
        try await intrusion.withLock { intrusion in
            defer { intrusion = nil }
            return intrusion
        }?()
        if isFull.withLock({ $0 })() { throw StoreError.unavailable("database or disk is full") }
        return try await database.write(body)
    }
}
