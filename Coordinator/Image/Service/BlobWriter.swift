import Crypto
import Glibc
import NIOCore
import ProtocolModel
import Synchronization

/// Writes one part and hashes it on the way: the file, MD5 and SHA-512 each on a thread of their own, so that the
/// slowest of the three sets the pace and not their sum.
package actor BlobWriter {
    package struct Result: Sendable, Hashable {
        package var sizeBytes: Int64
        /// 32 hexadecimal digits.
        package var md5: String
        /// 128 hexadecimal digits.
        package var sha512: String
    }

    /// Batches that may be under way at a time: bounds the memory of an upload to so many times ``batchBytes``.
    private static let depth = 2
    /// What is collected before it is handed to the threads: memory, which is more than data, since what TLS decrypts
    /// comes in buffers that are far from full.
    private static let batchBytes = 512 << 10
    /// Small pieces are handed over sooner: each keeps the buffer that it came in.
    private static let batchChunks = 256
    /// How much is written before it is made durable, which happens beside the writing.
    private static let checkpointBytes: Int64 = 64 << 20

    private let file: PartFile
    private let hashes = Hashes()
    private let fileLoop: any EventLoop
    private let md5Loop: any EventLoop
    private let sha512Loop: any EventLoop
    private let flushLoop: any EventLoop
    private let pin: BlobPin
    private let onDurable: @Sendable (Int64) async -> Void
    private var batch: [ByteBuffer] = []
    private var batchSize = 0
    private var underWay: [EventLoopFuture<Void>] = []
    private var size: Int64 = 0
    private var checkpoint: Int64 = 0
    private var flushing: Task<Void, any Error>?

    /// - Parameters:
    ///   - file: The part's file; made when missing.
    ///   - onDurable: Hears how many bytes of the file would survive a crash, now and then.
    package init(
        store: BlobStore, file: String, onDurable: @escaping @Sendable (Int64) async -> Void = { _ in }
    ) {
        self.file = PartFile(path: store.path(of: file))
        fileLoop = store.threads.next()
        md5Loop = store.threads.next()
        sha512Loop = store.threads.next()
        flushLoop = store.flushers.next()
        pin = BlobPin(store: store, name: file)
        self.onDurable = onDurable
    }

    /// Goes on behind the first `size` bytes of the file, which are read again for the hashes.
    package func resume(at size: Int64) async throws {
        try await fileLoop.submit { [file] in try file.cut(to: size) }.get()
        while self.size < size {
            let (offset, count) = (self.size, Int(min(Int64(Self.batchBytes), size - self.size)))
            let piece = try await fileLoop.submit { [file] in try file.read(at: offset, count: count) }.get()
            guard piece.readableBytes > 0 else { throw BlobError(operation: "resume", path: file.path, code: EIO) }
            self.size += Int64(piece.readableBytes)
            try await enqueue([piece], write: false)
        }
        checkpoint = size
    }

    package func append(_ chunk: ByteBuffer) async throws { try await append([chunk]) }

    /// Several at once, since coming in here has its price.
    package func append(_ chunks: [ByteBuffer]) async throws {
        for chunk in chunks {
            batch.append(chunk)
            batchSize += max(chunk.readableBytes, chunk.storageCapacity)
            size += Int64(chunk.readableBytes)
        }
        guard batchSize >= Self.batchBytes || batch.count >= Self.batchChunks else { return }
        try await flushBatch()
        if size - checkpoint >= Self.checkpointBytes, flushing == nil { startCheckpoint() }
    }

    /// Waits until all is written and durable.
    package func finish() async throws -> Result {
        try await settle()
        let size = size
        return try await sha512Loop.submit { [hashes] in
            Result(sizeBytes: size, md5: hashes.md5Text(), sha512: hashes.sha512Text())
        }.get()
    }

    /// Makes durable what came in so far, for somebody to go on behind it.
    /// - Returns: How much that is.
    @discardableResult
    package func settle() async throws -> Int64 {
        try await flushBatch()
        while !underWay.isEmpty { try await underWay.removeFirst().get() }
        try await flushing?.value
        flushing = nil
        try await fileLoop.submit { [file] in try file.flush() }.get()
        return size
    }

    /// Gives up what is still to be written and lets go of the file, whose space is free once it has no name either.
    package func close() async {
        batch = []
        batchSize = 0
        while !underWay.isEmpty { try? await underWay.removeFirst().get() }
        try? await flushing?.value
        flushing = nil
        try? await fileLoop.submit { [file] in file.close() }.get()
    }

    private func flushBatch() async throws {
        guard !batch.isEmpty else { return }
        let full = batch
        batch = []
        batchSize = 0
        try await enqueue(full, write: true)
    }

    /// Hands a batch to the threads; each does its batches in the order they come.
    private func enqueue(_ batch: [ByteBuffer], write: Bool) async throws {
        var parts = [
            md5Loop.submit { [hashes] in hashes.addMD5(batch) },
            sha512Loop.submit { [hashes] in hashes.addSHA512(batch) }
        ]
        if write { parts.append(fileLoop.submit { [file] in try file.append(batch) }) }
        underWay.append(EventLoopFuture.andAllSucceed(parts, on: fileLoop))
        if underWay.count > Self.depth { try await underWay.removeFirst().get() }
    }

    private func startCheckpoint() {
        checkpoint = size
        flushing = Task { [file, fileLoop, flushLoop, onDurable] in
            // What the file's thread has taken in by then; the flush itself does not hold it up.
            let written = try await fileLoop.submit { file.written }.get()
            try await flushLoop.submit { try file.flush() }.get()
            await onDurable(written)
            self.checkpointEnded()
        }
    }

    private func checkpointEnded() { flushing = nil }

    /// Both digests; each is touched by one thread at a time.
    private final class Hashes: Sendable {
        private let md5 = Mutex(Insecure.MD5())
        private let sha512 = Mutex(SHA512())

        func addMD5(_ batch: [ByteBuffer]) {
            md5.withLock { md5 in
                for chunk in batch { chunk.withUnsafeReadableBytes { md5.update(bufferPointer: $0) } }
            }
        }
        func addSHA512(_ batch: [ByteBuffer]) {
            sha512.withLock { sha512 in
                for chunk in batch { chunk.withUnsafeReadableBytes { sha512.update(bufferPointer: $0) } }
            }
        }
        func md5Text() -> String { Hexadecimal.text(md5.withLock { $0.finalize() }) }
        func sha512Text() -> String { Hexadecimal.text(sha512.withLock { $0.finalize() }) }
    }
}

enum Hexadecimal {
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
