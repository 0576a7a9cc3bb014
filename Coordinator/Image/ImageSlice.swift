import CoordinatorPlatform
import Logging
import ProtocolModel
import ServiceLifecycle

/// The image service.
public struct ImageSlice: Slice {
    public static let migrations = ImageSchema.migrations
    /// Rules that are asked for an image of a server, beside the rules of the call.
    public static let serverImageRules = ["add_image"]
    public let api: ServiceAPI
    public let service: ImageService
    /// Runs the imports.
    public let jobs: JobEngine
    public let blobs: BlobStore

    /// - Parameter settings: What the operator says about data.
    public init(
        blobs: BlobStore, database: any SQLDatabase, clock: any WallClock, settings: ImageSettings = ImageSettings(),
        metadata: ImageMetadataSettings = ImageMetadataSettings(), limits: any ImageLimits = NoImageLimits(),
        logger: Logger
    ) {
        self.blobs = blobs
        let port = JobPort()
        service = ImageService(
            blobs: blobs, database: database, clock: clock, logger: logger, settings: settings, jobs: port,
            metadata: metadata, quota: ImageQuota(limits: limits))
        let imports = ImageImportJob(
            service: service, fetcher: WebFetcher(allowed: settings.webDownload),
            converter: ConfinedConverter(root: blobs.directory + ".sandbox"))
        jobs = JobEngine(database: database, kinds: imports.jobKinds, clock: clock, logger: logger)
        port.connect(jobs)
        blobs.whenReleased { [service] in Task { await service.sweep() } }
        api = ImageAPI(service: service).api
    }

    public var apis: [ServiceAPI] { [api] }
    public var holdings: [any ProjectHoldings] { [ImageHoldings(service: service)] }
    public var services: [any Service] {
        let service = service
        return [
            jobs,
            PeriodicWork("image data", every: .seconds(60), logger: service.logger) { try await service.expire() },
            PeriodicWork("image contents", every: .seconds(60), logger: service.logger) { try await service.scrub() }
        ]
    }
}
