import AgentCore
import Glibc
import ProtocolModel
import Synchronization

/// Images on this host, each once, named by content: `<sha512>.qcow2` or `<sha512>.raw`.
final class ImageCache: Sendable {
    let folder: String
    private let workers: BlockingWorkers
    /// One transfer for each file, however many servers wait for it.
    private let transfers = Mutex<[String: Task<Result<Void, StatusError>, Never>]>([:])

    init(folder: String, workers: BlockingWorkers) {
        self.folder = folder
        self.workers = workers
    }

    func path(of image: ImageSpec) -> String { folder + "/" + Self.name(of: image) }

    /// Whether the image lies here under its final name, with its full length. Blocks.
    func holds(_ image: ImageSpec) -> Bool {
        guard let file = try? OpenFile(path(of: image), O_RDONLY), let size = try? file.size() else { return false }
        return size == image.sizeBytes
    }

    func fetch(_ image: ImageSpec, from source: any ImageSource) async throws(StatusError) {
        // The same bytes may be images of two formats, which are two files.
        let name = Self.name(of: image)
        let transfer = transfers.withLock { transfers in
            if let running = transfers[name] { return running }
            let transfer = Task { () -> Result<Void, StatusError> in
                defer { self.transfers.withLock { _ = $0.removeValue(forKey: name) } }
                do throws(StatusError) {
                    return .success(try await self.transfer(image, from: source))
                } catch {
                    return .failure(error)
                }
            }
            transfers[name] = transfer
            return transfer
        }
        try await transfer.value.get()
    }

    private func transfer(_ image: ImageSpec, from source: any ImageSource) async throws(StatusError) {
        guard image.hasPlausibleDigest else {
            throw StatusError(
                code: .badImage, message: "Image \(image.id) has no valid SHA-512: upload it again.",
                detail: image.sha512)
        }
        let partial = try await workers.run { () throws(StatusError) -> PartialImage? in
            if self.holds(image) { return nil }
            try Folder.make(self.folder, mode: 0o711)
            return try PartialImage(image, name: Self.partialName(of: image), folder: self.folder)
        }
        guard let partial else { return }
        if partial.offset < image.sizeBytes { try await copy(image, from: source, to: partial) }
        try await workers.run { () throws(StatusError) in try partial.finish(as: Self.name(of: image)) }
    }

    private func copy(
        _ image: ImageSpec, from source: any ImageSource, to partial: PartialImage
    ) async throws(StatusError) {
        do {
            for try await chunk in try await source.read(image, from: partial.offset) {
                try await workers.run { () throws(StatusError) in try partial.append(chunk) }
            }
        } catch let error as StatusError {
            throw error
        } catch {
            throw StatusError(
                code: .timedOut, message: "The image's transfer to the host was cut short; it will be resumed.",
                detail: "image \(image.id) at byte \(partial.offset): \(error)")
        }
    }

    /// Notes that the image was used just now. Blocks.
    func touch(_ image: ImageSpec, now: Int64) {
        let time = timespec(tv_sec: Int(now / 1_000_000), tv_nsec: 0)
        utimensat(AT_FDCWD, path(of: image), [time, time], 0)
    }

    /// Blocks.
    /// - Parameter needed: SHA-512 digests of images that must stay.
    func sweep(needed: Set<String>, now: Int64, limitBytes: Int64, idleSeconds: Int64) {
        let running = Set(transfers.withLock { $0.keys }.map { String($0.prefix { $0 != "." }) })
        let names = (try? Folder.names(folder)) ?? []
        let entries = names.compactMap { name -> ImageSweep.Entry? in
            var status = stat()
            guard lstat(folder + "/" + name, &status) == 0 else { return nil }
            let digest = String(name.prefix { $0 != "." })
            return ImageSweep.Entry(
                name: name, bytes: Int64(status.st_size), lastUsed: Int64(status.st_mtim.tv_sec),
                isNeeded: needed.contains(digest) || running.contains(digest))
        }
        let doomed = ImageSweep.plan(
            entries, now: now / 1_000_000, limitBytes: limitBytes, idleSeconds: idleSeconds)
        for name in doomed { try? Folder.removeFile(folder + "/" + name) }
    }

    private static func name(of image: ImageSpec) -> String {
        image.sha512 + (image.format == .qcow2 ? ".qcow2" : ".raw")
    }

    private static func partialName(of image: ImageSpec) -> String { name(of: image) + ".partial" }
}

extension ImageSpec {
    /// The digest becomes a file's name: nothing but digits may get there.
    fileprivate var hasPlausibleDigest: Bool {
        sha512.utf8.count == 128
            && sha512.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }
}
