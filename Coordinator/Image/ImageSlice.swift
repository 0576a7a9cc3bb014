import CoordinatorFleet
import CoordinatorPlatform
import Logging
import ProtocolModel
import Synchronization

/// The image service.
public struct ImageSlice: Sendable {
    public static let migrations = ImageSchema.migrations
    public let api: ServiceAPI
    public let service: ImageService
    /// Runs the imports; the daemon runs it.
    public let jobs: JobEngine
    public let blobs: BlobStore

    /// - Parameters:
    ///   - settings: What the operator says about data.
    ///   - makeJobs: Makes the engine that runs jobs of the given kinds, for a coordinator that has others, too; `nil` makes
    ///     one of the image service's own.
    public init(
        blobs: BlobStore, database: any SQLDatabase, clock: any WallClock, settings: ImageSettings = ImageSettings(),
        metadata: ImageMetadataSettings = ImageMetadataSettings(), limits: any ImageLimits = NoImageLimits(),
        makeJobs: (([JobKind]) -> JobEngine)? = nil, logger: Logger
    ) {
        self.blobs = blobs
        let port = JobPort()
        service = ImageService(
            blobs: blobs, database: database, clock: clock, settings: settings, jobs: port, metadata: metadata,
            limits: limits,
            logger: logger)
        let imports = ImageImportJob(
            service: service, fetcher: WebFetcher(allowed: settings.webDownload),
            converter: ConfinedConverter(root: blobs.directory + ".sandbox"))
        let kinds = imports.jobKinds
        jobs = makeJobs?(kinds) ?? JobEngine(database: database, kinds: kinds, clock: clock, logger: logger)
        port.connect(jobs)
        blobs.whenReleased { [service] in Task { await service.sweep() } }
        api = ImageAPI(service: service).api
    }
}

extension ImageSlice {
    /// What is to be done again and again: the name, how often, and the work.
    public var upkeep: [PeriodicWork] {
        [
            PeriodicWork("image data", every: .seconds(60), logger: service.logger) { [service] in
                try await service.expire()
            },
            PeriodicWork("image contents", every: .seconds(60), logger: service.logger) { [service] in
                try await service.scrub()
            }
        ]
    }
}

/// Where the service puts jobs down. The engine needs the service's kinds of jobs, and the service needs the engine, so
/// one of the two comes later.
final class JobPort: Sendable {
    private struct Reference {
        weak var engine: JobEngine?
    }
    private let reference = Mutex(Reference())

    func connect(_ engine: JobEngine) { reference.withLock { $0.engine = engine } }

    func engine() throws -> JobEngine {
        guard let engine = reference.withLock({ $0.engine }) else {
            throw APIError(status: 503, message: "Imports are not possible while the coordinator starts or stops.")
        }
        return engine
    }
}

extension ImageService: ImageForCompute {
    public func bootable(_ id: String, caller: Caller, in reader: any SQLReader) throws -> BootImage {
        guard let image = try? find(id, caller: caller, in: reader) else {
            throw APIError.badRequest("Can not find requested image")
        }
        guard image.status == .active, let sha512 = image.sha512 else {
            throw APIError.badRequest("Image \(image.id) is not active.")
        }
        guard try contents.damage(of: sha512, in: reader) == nil else {
            throw APIError.badRequest("Image \(image.id) is unacceptable: its data is damaged")
        }
        guard let boot = Self.boot(image) else {
            throw APIError.badRequest(
                """
                Image \(image.id) is unacceptable: servers boot from the formats raw, qcow2 and iso, not from \
                \(image.diskFormat ?? "none"); convert it (qemu-img convert) or import it where imports are converted
                """)
        }
        return boot
    }

    public func describe(_ id: ImageID, in reader: any SQLReader) throws -> BootImage? {
        try store.image(id, in: reader).flatMap(Self.boot)
    }

    /// `nil` for an image without data.
    private static func boot(_ image: Image) -> BootImage? {
        guard let sha512 = image.sha512, let size = image.sizeBytes,
            let format = image.diskFormat.flatMap(ImageSpec.DiskFormat.init(rawValue:))
        else { return nil }
        return BootImage(
            spec: ImageSpec(id: image.id, sha512: sha512, sizeBytes: size, format: format), name: image.name ?? "",
            minDiskGiB: image.minDiskGiB, minMemoryMiB: image.minMemoryMiB,
            virtualSizeBytes: image.virtualSizeBytes ?? size, properties: image.properties)
    }
}

extension ImageService: ImageBlobSource {
    public func read(
        image: ImageID, sha512: String, from offset: Int64
    ) async throws -> AsyncThrowingStream<[UInt8], any Error> {
        let opened = clock.now()
        // The hash comes from an agent: only what a row names is ever opened.
        let (size, damage) = try await database.read { [contents] reader in
            (try contents.size(of: sha512, in: reader), try contents.damage(of: sha512, in: reader))
        }
        guard let size else { throw ImageError.noImage(image.text) }
        guard damage == nil else { throw ImageError.damaged(image.text) }
        let reader = try await blobs.reader(sha512, from: offset)
        guard await reader.sizeBytes == size else {
            await condemn(sha512, reason: "its file has another length than it had", seen: opened)
            throw ImageError.damaged(image.text)
        }
        return AsyncThrowingStream {
            let chunk = try await reader.next(65_536)
            return chunk.readableBytes == 0 ? nil : Array(chunk.readableBytesView)
        }
    }
}
