import Crypto
import Glibc

/// Large contents, each in a file of its own: the bytes, and behind them a digest of each block.
struct LargeFiles: Sendable {
    let folder: String

    private func subfolder(_ content: Int64) -> String {
        let digits = String(content & 0xff, radix: 16)
        return "\(folder)/\(digits.count == 1 ? "0" + digits : digits)"
    }

    func path(_ content: Int64) -> String { "\(subfolder(content))/\(content)" }

    func create(_ content: Int64) throws(StoreFailure) -> DiskFile {
        try DiskFile.makeFolder(subfolder(content))
        return try DiskFile(path(content), O_RDWR | O_CREAT | O_EXCL)
    }

    /// All of a new file is on the disk, its name too.
    func sync(_ file: DiskFile, _ content: Int64) throws(StoreFailure) {
        try file.sync()
        try DiskFile.syncFolder(subfolder(content))
        try DiskFile.syncFolder(folder)
    }

    func remove(_ content: Int64) { unlink(path(content)) }

    func all() -> [Int64] {
        DiskFile.names(in: folder).flatMap { DiskFile.names(in: "\(folder)/\($0)") }.compactMap { Int64($0) }
    }
}

/// Writes one large content. For one caller at a time; its calls block.
final class LargeFileWriter {
    let content: Int64
    private let files: LargeFiles
    private let file: DiskFile
    private var size: Int64 = 0
    private var digests: [UInt8] = []

    init(_ files: LargeFiles, content: Int64) throws(StoreFailure) {
        self.files = files
        self.content = content
        file = try files.create(content)
    }

    /// - Parameter block: As long as a block; only the last one may be shorter.
    func write(_ block: [UInt8]) throws(StoreFailure) {
        try DiskFile.checkSpace(in: files.folder)
        try file.write(block, at: size)
        size += Int64(block.count)
        digests += BlockDigest.of(block)
    }

    func finish() throws(StoreFailure) -> Int64 {
        try file.write(digests, at: size)
        try files.sync(file, content)
        return size
    }

    func discard() { files.remove(content) }
}

/// Reads the bytes of one content, and gives out only what is as it was written.
package final class ContentReader: Sendable {
    private enum Source: Sendable {
        case bytes([UInt8])
        case file(DiskFile)
        case pieces(PieceReader)
    }

    package let content: ContentReference
    private let source: Source
    private let workers: DiskWorkers

    init(_ content: ContentReference, bytes: [UInt8], workers: DiskWorkers) {
        self.content = content
        source = .bytes(bytes)
        self.workers = workers
    }

    init(_ content: ContentReference, file: DiskFile, workers: DiskWorkers) {
        self.content = content
        source = .file(file)
        self.workers = workers
    }

    init(_ content: ContentReference, pieces: PieceReader, workers: DiskWorkers) {
        self.content = content
        source = .pieces(pieces)
        self.workers = workers
    }

    /// At most one block from `offset` on, and nothing behind `end`.
    /// - Throws: ``StoreFailure/damaged(_:)``.
    package func read(from offset: Int64, upTo end: Int64) async throws -> [UInt8] {
        let end = min(end, content.size)
        guard offset < end else { return [] }
        switch source {
        case .bytes(let bytes): return Array(bytes[Int(offset)..<Int(end)])
        case .pieces(let reader): return try await reader.read(from: offset, upTo: end)
        case .file(let file):
            let content = content
            return try await workers.run { () throws(StoreFailure) in
                try Self.block(of: file, content, from: offset, upTo: end)
            }
        }
    }

    private static func block(
        of file: DiskFile, _ content: ContentReference, from offset: Int64, upTo end: Int64
    ) throws(StoreFailure) -> [UInt8] {
        let number = offset / Int64(BlockDigest.blockSize)
        let start = number * Int64(BlockDigest.blockSize)
        let length = Int(min(Int64(BlockDigest.blockSize), content.size - start))
        let block = try file.read(at: start, count: length)
        let digest = try file.read(at: content.size + number * Int64(BlockDigest.size), count: BlockDigest.size)
        guard block.count == length, BlockDigest.of(block) == digest else { throw .damaged(content) }
        let last = Int(min(end - start, Int64(length)))
        return offset == start && last == length ? block : Array(block[Int(offset - start)..<last])
    }
}
