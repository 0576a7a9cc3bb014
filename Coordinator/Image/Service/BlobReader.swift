import Glibc
import NIOCore
import ProtocolModel

/// Reads one file of the store in order. Runs on a thread of the store.
package actor BlobReader {
    private let store: BlobStore
    private let name: String
    private let loop: any EventLoop
    private var descriptor: Int32 = -1
    package private(set) var sizeBytes: Int64 = 0

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor.asUnownedSerialExecutor() }

    /// Takes over one pin of the file.
    init(store: BlobStore, name: String, loop: any EventLoop) {
        self.store = store
        self.name = name
        self.loop = loop
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        store.unpin(name)
    }

    func open(at offset: Int64) throws {
        let path = store.path(of: name)
        descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        try BlobError.check(descriptor >= 0, "open", path)
        var status = stat()
        try BlobError.check(fstat(descriptor, &status) == 0, "stat", path)
        sizeBytes = Int64(status.st_size)
        try BlobError.check(lseek(descriptor, off_t(offset), SEEK_SET) >= 0, "seek", path)
        // Twice the usual read-ahead; only advice.
        posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
    }

    /// - Returns: At most `limit` bytes, none at the end.
    package func next(_ limit: Int) throws -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: limit)
        while true {
            var failure: Int32 = 0
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: limit) { space in
                let count = read(descriptor, space.baseAddress, limit)
                if count < 0 { failure = errno }
                return max(0, count)
            }
            if failure == 0 { return buffer }
            guard failure == EINTR else {
                throw BlobError(operation: "read", path: store.path(of: name), code: failure)
            }
        }
    }

    /// Bytes anywhere in the file, fewer at its end.
    func bytes(at offset: Int64, count: Int) throws -> [UInt8] {
        try Self.bytes(descriptor, at: offset, count: count, path: store.path(of: name))
    }

    /// Recognises the file by its content.
    package func inspect() throws -> DiskFormatInspector.Finding {
        let (descriptor, path) = (descriptor, store.path(of: name))
        return try DiskFormatInspector.inspect(sizeBytes: sizeBytes) { offset, count in
            try Self.bytes(descriptor, at: offset, count: count, path: path)
        }
    }

    /// The rest, or its first `limit` bytes, in chunks; each is read when it is asked for.
    package nonisolated func chunks(of size: Int, limit: Int64 = .max) -> AsyncThrowingStream<ByteBuffer, any Error> {
        let left = Remaining(limit)
        return AsyncThrowingStream { [self] in
            let wanted = Int(min(Int64(size), await left.count))
            guard wanted > 0 else { return nil }
            let buffer = try await next(wanted)
            await left.take(Int64(buffer.readableBytes))
            return buffer.readableBytes == 0 ? nil : buffer
        }
    }

    private actor Remaining {
        private(set) var count: Int64
        init(_ count: Int64) { self.count = count }
        func take(_ bytes: Int64) { count -= bytes }
    }

    private static func bytes(_ descriptor: Int32, at offset: Int64, count: Int, path: String) throws -> [UInt8] {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while initialized < count {
                let got = pread(
                    descriptor, buffer.baseAddress?.advanced(by: initialized), count - initialized,
                    off_t(offset) + off_t(initialized))
                if got < 0, errno == EINTR { continue }
                if got < 0 { failure = errno }
                if got <= 0 { return }
                initialized += got
            }
        }
        guard failure == 0 else { throw BlobError(operation: "read", path: path, code: failure) }
        return bytes
    }
}
