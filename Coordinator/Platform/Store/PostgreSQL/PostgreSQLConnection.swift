import NIOConcurrencyHelpers
import NIOPosix

/// A way to the server on a thread of its own, since libpq's calls block; closures run one after the other.
///
/// `@unchecked Sendable`: ``server`` is touched only inside closures of that one thread.
final class PostgreSQLConnection: WriterConnection, @unchecked Sendable {
    private let server: PostgreSQLServer
    private let thread = NIOThreadPool(numberOfThreads: 1)

    init(_ target: PostgreSQLServer.Target) {
        server = PostgreSQLServer(target)
        thread.start()
    }

    deinit { thread.shutdownGracefully { _ in } }

    func enqueue(_ body: @escaping @Sendable (PostgreSQLSession) -> Void) {
        thread.submit { [self] state in
            // After the end, bodies hear from a server that there is none.
            body(PostgreSQLSession(on: state == .active ? server : PostgreSQLServer(.init(url: nil))))
        }
    }

    /// Whether the server can be reached and used.
    func check() async throws {
        try await thread.runIfActive { [self] in _ = try server.link() }
    }

    /// Waits for everything enqueued before and ends the connection.
    func close() {
        let done = ConditionLock(value: false)
        thread.submit { [self] _ in
            server.drop()
            done.lock()
            done.unlock(withValue: true)
        }
        done.lock(whenValue: true)
        done.unlock()
        thread.shutdownGracefully { _ in }
    }
}
