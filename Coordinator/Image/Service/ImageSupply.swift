import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// What other slices have of images.
extension ImageService: ImageForCompute {
    public func bootable(_ id: String, caller: Caller, in reader: any SQLReader) throws -> BootImage {
        func refused(_ code: Refusal.Code, _ message: String) -> Refusal { Refusal(code, "image", id, message) }
        guard let image = try visible(id, caller: caller, in: reader) else {
            throw refused(.notFound, "Image \(id) could not be found.")
        }
        guard image.status == .active, let sha512 = image.sha512 else {
            throw refused(.conflict, "Image \(image.id) is not active.")
        }
        guard try contents.damage(of: sha512, in: reader) == nil else {
            throw refused(.conflict, "Image \(image.id) is unacceptable: its data is damaged")
        }
        guard let boot = Self.boot(image) else {
            throw refused(
                .invalid,
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
        guard let size else {
            throw Refusal(.notFound, "image", image.text, "No image has the data that is asked for with \(image).")
        }
        guard damage == nil else { throw Self.damaged(image) }
        let reader = try await open(sha512, sizeBytes: size, of: image, from: offset, at: opened)
        return AsyncThrowingStream {
            let chunk = try await reader.next(65_536)
            return chunk.readableBytes == 0 ? nil : Array(chunk.readableBytesView)
        }
    }

    /// Opens an image's data; what turns out to be damaged is taken out of use.
    /// - Parameter now: When it was asked for.
    /// - Throws: ``Refusal``
    func open(
        _ sha512: String, sizeBytes: Int64, of image: ImageID, from offset: Int64, at now: Int64
    ) async throws -> BlobReader {
        let reader: BlobReader
        do { reader = try await blobs.reader(sha512, from: offset) } catch let error as BlobError where error.isMissing
        {
            await condemn(sha512, reason: "its file is gone", seen: now)
            throw Self.damaged(image)
        }
        // A file that is not as long as its image is damaged, whatever its hash would say.
        guard await reader.sizeBytes == sizeBytes else {
            await condemn(sha512, reason: "its file has another length than it had", seen: now)
            throw Self.damaged(image)
        }
        return reader
    }

    private static func damaged(_ image: ImageID) -> Refusal {
        Refusal(.conflict, "image", image.text, ImageError.damaged(image.text).message)
    }
}
