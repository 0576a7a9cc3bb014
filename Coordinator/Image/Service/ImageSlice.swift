import CoordinatorFleet
import CoordinatorPlatform
import Logging
import ProtocolModel

/// The image service.
public struct ImageSlice: Sendable {
    public static let migrations = ImageSchema.migrations
    public let api: ServiceAPI
    public let service: ImageService

    /// - Parameter sizeLimit: The largest upload taken, bytes.
    public init(
        blobs: BlobStore, database: any SQLDatabase, clock: any WallClock, sizeLimit: Int64 = 1 << 40, logger: Logger
    ) {
        service = ImageService(blobs: blobs, database: database, clock: clock, sizeLimit: sizeLimit, logger: logger)
        api = ImageAPI(service: service).api
    }
}

extension ImageService: ImageForCompute {
    public func bootable(_ id: String, caller: Caller, in reader: any SQLReader) throws -> BootImage {
        guard let image = try? find(id, caller: caller, in: reader) else {
            throw APIError.badRequest("Can not find requested image")
        }
        guard image.status == .active, let boot = Self.boot(image) else {
            throw APIError.badRequest("Image \(image.id) is not active.")
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
        // The hash comes from an agent: only what a row names is ever opened.
        let isKnown = try await database.read { [store] in try store.hashes(in: $0).contains(sha512) }
        guard isKnown else { throw ImageError.noImage(image.text) }
        return try await blobs.reader(sha512: sha512, from: offset).chunks(of: 65_536)
    }
}
