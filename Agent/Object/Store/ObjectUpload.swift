/// Takes the bytes of a new object as they come: few are kept until they go into a segment, many go into a file. For
/// one task.
package final class ObjectUpload {
    /// Contents of up to so many octets are packed.
    package static let packedLimit = 64 << 10

    private let files: LargeFiles
    private let workers: DiskWorkers
    private let newContent: @Sendable () -> Int64
    private var pending: [UInt8] = []
    private var hash = ETagHash()
    private var file: FileBox?
    package private(set) var size: Int64 = 0

    /// `@unchecked Sendable`: the writer is handed to one worker thread after the other and never to two at a time,
    /// since `write` waits for each.
    private final class FileBox: @unchecked Sendable {
        let writer: LargeFileWriter
        init(_ writer: LargeFileWriter) { self.writer = writer }
    }

    init(files: LargeFiles, workers: DiskWorkers, newContent: @escaping @Sendable () -> Int64) {
        self.files = files
        self.workers = workers
        self.newContent = newContent
    }

    package func write(_ bytes: some Collection<UInt8>) async throws {
        size += Int64(bytes.count)
        pending += bytes
        guard file != nil || pending.count > Self.packedLimit else { return }
        while pending.count >= BlockDigest.blockSize {
            let block = Array(pending[..<BlockDigest.blockSize])
            pending = Array(pending[BlockDigest.blockSize...])
            try await writeBlock(block)
        }
    }

    private func writeBlock(_ block: [UInt8]) async throws {
        let content = file == nil ? newContent() : 0
        let (box, hash) = try await workers.run { [file, files, hash] () throws(StoreFailure) in
            let box: FileBox
            if let file { box = file } else { box = FileBox(try LargeFileWriter(files, content: content)) }
            do throws(StoreFailure) {
                try box.writer.write(block)
            } catch {
                box.writer.discard()
                throw error
            }
            var hash = hash
            hash.update(block)
            return (box, hash)
        }
        file = box
        self.hash = hash
    }

    /// - Returns: What ``ObjectStore/put(_:_:)`` takes; it is on the disk where it is large.
    package func finish() async throws -> UploadedContent {
        guard file != nil || pending.count > Self.packedLimit else {
            let content = PackedContent(bytes: pending, etag: ETagHash.of(pending))
            pending = []
            return .packed(content)
        }
        if !pending.isEmpty {
            try await writeBlock(pending)
            pending = []
        }
        guard let file else { throw StoreFailure.failed("nothing was written") }
        let size = try await workers.run { () throws(StoreFailure) in try file.writer.finish() }
        self.file = nil
        return .file(id: file.writer.content, size: size, etag: hash.finish())
    }

    /// Forgets what ``finish()`` returned, when the object is not to be.
    package func discard(_ content: UploadedContent) async {
        guard case .file(let id, _, _) = content else { return }
        await workers.run { [files] in files.remove(id) }
    }

    /// Forgets what came, when the object is not to be.
    package func discard() async {
        guard let file else { return }
        self.file = nil
        await workers.run { file.writer.discard() }
    }
}
