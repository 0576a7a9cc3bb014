import NIOPosix
import Synchronization

/// A few threads for work that would block the concurrency pool: password hashing, file input and output.
public final class BlockingPool: Sendable {
    /// More work is waiting than the pool takes: try again later.
    public struct Overloaded: Error, Sendable {
        public init() {}
    }

    private let threads: NIOThreadPool
    private let limit: Int
    private let pending = Atomic<Int>(0)

    /// - Parameters:
    ///   - threads: How much runs at once.
    ///   - waiting: How much may wait beyond that before ``Overloaded``.
    public init(threads count: Int, waiting: Int) {
        threads = NIOThreadPool(numberOfThreads: max(1, count))
        limit = max(1, count) + waiting
        threads.start()
    }

    deinit { threads.shutdownGracefully { _ in } }

    /// Runs the work on one of the threads.
    /// - Throws: What the work throws, or ``Overloaded``.
    public func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        let (_, count) = pending.add(1, ordering: .relaxed)
        defer { pending.subtract(1, ordering: .relaxed) }
        guard count <= limit else { throw Overloaded() }
        return try await threads.runIfActive(work)
    }
}
