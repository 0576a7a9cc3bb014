import Glibc
import NIOConcurrencyHelpers

/// Writes lines to a descriptor without holding up who logs: straight away while the descriptor takes them, and by a
/// thread of its own while its reader is behind. What exceeds the bound is dropped and counted.
public final class LogWriter: Sendable {
    /// Bytes that wait at most.
    static let limit = 1_048_576

    private struct State {
        var waiting: [[UInt8]] = []
        var waitingBytes = 0
        var dropped = 0
        var isDraining = false
    }

    public static let standardError = LogWriter(descriptor: STDERR_FILENO)

    private let descriptor: Int32
    private let writerLock = NIOLockedValueBox(State())

    public init(descriptor: Int32) { self.descriptor = descriptor }

    func write(_ line: String) {
        let bytes = Array(line.utf8)
        let needsThread = writerLock.withLockedValue { state in
            if !state.isDraining, isReady(), bytes.count <= 4096 {
                // A pipe that is ready takes 4096 bytes (PIPE_BUF) at once; files and terminals take more.
                writeAll(bytes)
                return false
            }
            guard state.waitingBytes + bytes.count <= Self.limit else {
                state.dropped += 1
                return false
            }
            state.waiting.append(bytes)
            state.waitingBytes += bytes.count
            defer { state.isDraining = true }
            return !state.isDraining
        }
        if needsThread { startThread() }
    }

    /// Waits until nothing waits any more, `milliseconds` at most.
    func flush(milliseconds: Int = 1000) {
        for _ in 0..<max(1, milliseconds / 5) {
            if !writerLock.withLockedValue({ $0.isDraining }) { return }
            poll(nil, 0, 5)
        }
    }

    private func isReady() -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&request, 1, 0) == 1 && request.revents & Int16(POLLOUT) != 0
    }

    private func startThread() {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let failure = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<LogWriter>.fromOpaque(argument).takeRetainedValue().drain()
                return nil
            }, context.toOpaque())
        guard failure == 0 else {
            context.release()
            writerLock.withLockedValue { $0.isDraining = false }
            return
        }
        pthread_detach(thread)
    }

    private func drain() {
        while let (lines, dropped) = nextBatch() {
            for line in lines { writeAll(line) }
            if dropped > 0 {
                writeAll(Array("... \(dropped) log records dropped: the reader of the log is too slow\n".utf8))
            }
        }
    }

    private func nextBatch() -> ([[UInt8]], Int)? {
        writerLock.withLockedValue { state in
            guard !state.waiting.isEmpty || state.dropped > 0 else {
                state.isDraining = false
                return nil
            }
            defer {
                state.waiting = []
                state.waitingBytes = 0
                state.dropped = 0
            }
            return (state.waiting, state.dropped)
        }
    }

    private func writeAll(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                poll(&request, 1, 1000)
            } else if errno != EINTR {
                // Nobody can be told that the log is gone.
                return
            }
        }
    }
}
