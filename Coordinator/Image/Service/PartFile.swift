import Glibc
import NIOCore
import Synchronization

/// The file of one part, open for writing at its end. Every call blocks.
final class PartFile: Sendable {
    private struct State {
        var descriptor: Int32 = -1
        var written: Int64 = 0
    }

    let path: String
    private let state = Mutex(State())

    init(path: String) { self.path = path }

    deinit { close() }

    /// Nothing is written afterwards.
    func close() {
        state.withLock { state in
            if state.descriptor >= 0 { Glibc.close(state.descriptor) }
            state.descriptor = -1
        }
    }

    var written: Int64 { state.withLock { $0.written } }

    /// Forgets what is behind the first `size` bytes.
    func cut(to size: Int64) throws {
        try state.withLock { state in
            try open(&state)
            var status = stat()
            // Cutting to more than there is would fill up with zeros.
            guard fstat(state.descriptor, &status) == 0, status.st_size >= off_t(size) else {
                throw BlobError(operation: "resume", path: path, code: EIO)
            }
            // What has another name is an image's content.
            guard status.st_nlink == 1 else {
                throw BlobError(operation: "resume", path: path, code: EIO)
            }
            try BlobError.check(ftruncate(state.descriptor, off_t(size)) == 0, "truncate", path)
            state.written = size
        }
    }

    func append(_ batch: [ByteBuffer]) throws {
        try state.withLock { state in
            try open(&state)
            var index = 0
            // As many buffers a call as the kernel takes (IOV_MAX).
            while index < batch.count {
                let end = min(index + 1024, batch.count)
                try write(Array(batch[index..<end]), &state)
                index = end
            }
        }
    }

    func read(at offset: Int64, count: Int) throws -> ByteBuffer {
        try state.withLock { state in
            var buffer = ByteBufferAllocator().buffer(capacity: count)
            var failure: Int32 = 0
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { space in
                let got = pread(state.descriptor, space.baseAddress, count, off_t(offset))
                if got < 0 { failure = errno }
                return max(0, got)
            }
            guard failure == 0 else { throw BlobError(operation: "read", path: path, code: failure) }
            return buffer
        }
    }

    /// Returns when everything written so far is on the disk. Writing goes on meanwhile.
    func flush() throws {
        let descriptor = try state.withLock { state in
            try open(&state)
            return state.descriptor
        }
        try BlobError.check(fdatasync(descriptor) == 0, "flush", path)
    }

    private func open(_ state: inout State) throws {
        guard state.descriptor < 0 else { return }
        state.descriptor = Glibc.open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        try BlobError.check(state.descriptor >= 0, "create", path)
    }

    private func write(_ buffers: [ByteBuffer], _ state: inout State) throws {
        var vectors: [iovec] = []
        vectors.reserveCapacity(buffers.count)
        try Self.withPointers(buffers[...], &vectors) { vectors in
            var first = 0
            while first < vectors.count {
                let count = vectors[first...].withUnsafeBufferPointer {
                    pwritev(state.descriptor, $0.baseAddress, Int32($0.count), off_t(state.written))
                }
                if count < 0, errno == EINTR { continue }
                try BlobError.check(count >= 0, "write", path)
                state.written += Int64(count)
                Self.skip(count, in: &vectors, from: &first)
            }
        }
    }

    /// Collects the buffers' memory, which is valid inside `body` only.
    private static func withPointers(
        _ buffers: ArraySlice<ByteBuffer>, _ vectors: inout [iovec], _ body: (inout [iovec]) throws -> Void
    ) throws {
        guard let buffer = buffers.first else { return try body(&vectors) }
        try buffer.withUnsafeReadableBytes { bytes in
            if !bytes.isEmpty {
                vectors.append(
                    iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count))
            }
            try withPointers(buffers.dropFirst(), &vectors, body)
        }
    }

    private static func skip(_ count: Int, in vectors: inout [iovec], from first: inout Int) {
        var left = count
        while left > 0 || (first < vectors.count && vectors[first].iov_len == 0) {
            let length = vectors[first].iov_len
            if left >= length {
                left -= length
                first += 1
            } else {
                vectors[first].iov_base = vectors[first].iov_base?.advanced(by: left)
                vectors[first].iov_len = length - left
                left = 0
            }
        }
    }
}
