import Crypto
import Glibc
import NIOCore
import ProtocolModel

/// Writes one blob and hashes it on the way. Runs on a thread of the store.
actor BlobWriter {
    struct Result: Sendable {
        var sizeBytes: Int64
        /// 32 hexadecimal digits.
        var md5: String
        /// 128 hexadecimal digits.
        var sha512: String
        /// The first bytes, for ``DiskFormatInspector``.
        var head: [UInt8]
    }

    private let store: BlobStore
    private let loop: any EventLoop
    private let path: String
    private var descriptor: Int32 = -1
    private var size: Int64 = 0
    private var md5 = Insecure.MD5()
    private var sha512 = SHA512()
    private var head: [UInt8] = []

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor.asUnownedSerialExecutor() }

    init(store: BlobStore, loop: any EventLoop, name: String) {
        self.store = store
        self.loop = loop
        path = "\(store.directory)/upload-\(name)"
    }

    func append(_ chunk: ByteBuffer) throws {
        if descriptor < 0 {
            descriptor = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw BlobError(operation: "create", path: path, code: errno) }
        }
        try chunk.withUnsafeReadableBytes { bytes in
            if head.count < DiskFormatInspector.headBytes {
                head += bytes.prefix(DiskFormatInspector.headBytes - head.count)
            }
            md5.update(bufferPointer: bytes)
            sha512.update(bufferPointer: bytes)
            var rest = bytes
            while let base = rest.baseAddress, !rest.isEmpty {
                let count = write(descriptor, base, rest.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    throw BlobError(operation: "write", path: path, code: errno)
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
        size += Int64(chunk.readableBytes)
    }

    /// Makes what was written durable, without giving it its name yet.
    func finish() throws -> Result {
        if descriptor < 0 { try append(ByteBuffer()) }
        guard fsync(descriptor) == 0 else { throw BlobError(operation: "flush", path: path, code: errno) }
        close(descriptor)
        descriptor = -1
        return Result(sizeBytes: size, md5: hex(md5.finalize()), sha512: hex(sha512.finalize()), head: head)
    }

    /// Gives the content its name; content that was there already stays as it is.
    func publish(as sha512: String) throws {
        let target = store.path(of: sha512)
        guard rename(path, target) == 0 else { throw BlobError(operation: "rename", path: target, code: errno) }
        let folder = open(store.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw BlobError(operation: "open folder", path: store.directory, code: errno) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw BlobError(operation: "flush folder", path: store.directory, code: errno) }
    }

    /// Forgets everything written so far; harmless after ``publish(as:)``.
    func discard() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
        unlink(path)
    }

    private func hex(_ digest: some Sequence<UInt8>) -> String {
        digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}

/// Reads one blob in order. Runs on a thread of the store.
actor BlobReader {
    private let path: String
    private let loop: any EventLoop
    private var descriptor: Int32 = -1
    private(set) var sizeBytes: Int64 = 0

    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.executor.asUnownedSerialExecutor() }

    init(path: String, loop: any EventLoop) {
        self.path = path
        self.loop = loop
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func open(at offset: Int64) throws {
        descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw BlobError(operation: "open", path: path, code: errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw BlobError(operation: "stat", path: path, code: errno) }
        sizeBytes = Int64(status.st_size)
        guard lseek(descriptor, off_t(offset), SEEK_SET) >= 0 else {
            throw BlobError(operation: "seek", path: path, code: errno)
        }
    }

    /// - Returns: At most `limit` bytes, none at the end.
    func next(_ limit: Int) throws -> [UInt8] {
        while true {
            var count = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, initialized in
                count = read(descriptor, buffer.baseAddress, limit)
                initialized = max(0, count)
            }
            if count >= 0 { return bytes }
            guard errno == EINTR else { throw BlobError(operation: "read", path: path, code: errno) }
        }
    }

    /// The rest in chunks, each read when it is asked for.
    nonisolated func chunks(of size: Int) -> AsyncThrowingStream<[UInt8], any Error> {
        AsyncThrowingStream { [self] in
            let bytes = try await next(size)
            return bytes.isEmpty ? nil : bytes
        }
    }
}
