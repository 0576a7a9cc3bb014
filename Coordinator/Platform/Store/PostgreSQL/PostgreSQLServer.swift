/// The way of one thread to the server: a connection that is made when it is needed, and again when it is lost.
package final class PostgreSQLServer {
    struct Target: Sendable {
        /// `nil` is a database that was closed.
        var url: String?
        /// Whether nobody else may work on the database as long as this connection holds.
        var isExclusive = false
    }

    /// How long the server works on a statement before it gives up.
    static let statementSeconds = 30
    /// The lock of whoever writes, held for a transaction.
    static let writerLock: Int64 = 0x736b_6572_7279_0001
    /// The lock of whoever works on the database alone.
    static let aloneLock: Int64 = 0x736b_6572_7279_0002

    var statements = PostgreSQLStatements()
    private let target: Target
    private var current: PostgreSQLLink?
    private var backoff = PostgreSQLBackoff()
    private var reason = ""

    init(_ target: Target) { self.target = target }

    var isConnected: Bool { current != nil }

    /// - Throws: ``StoreError/unavailable(_:)``, at once where the last try was just now.
    func link() throws -> PostgreSQLLink {
        if let current { return current }
        guard backoff.mayTry(at: .now) else { throw StoreError.unavailable(reason) }
        do {
            let link = try connect()
            backoff.succeeded()
            current = link
            return link
        } catch {
            backoff.failed(at: .now)
            reason = "the database cannot be reached: \(Self.explain(error))"
            throw StoreError.unavailable(reason)
        }
    }

    func drop() {
        current = nil
        statements.removeAll()
    }

    /// Connects again, and waits a moment for a server that restarts.
    func reconnect() throws {
        let deadline = ContinuousClock.now + .seconds(3)
        while true {
            do {
                _ = try link()
                return
            } catch {
                guard let next = backoff.next, next < deadline else { throw error }
                // This thread is the connection's own.
                PostgreSQLBackoff.sleep(until: next)
            }
        }
    }

    private func connect() throws -> PostgreSQLLink {
        guard let url = target.url else { throw PostgreSQLConnectionLost(reason: "the database was closed") }
        let link = try PostgreSQLLink(url: url, timeoutSeconds: 5)
        guard link.serverVersion >= 130_000 else {
            throw PostgreSQLConnectionLost(reason: "PostgreSQL 13 or newer is needed, this is \(link.serverVersion)")
        }
        var steps = Self.settings.map { PostgreSQLLink.Step.command($0) }
        steps.append(.command(Self.check))
        if target.isExclusive { steps.append(.command("SELECT pg_try_advisory_lock(\(Self.aloneLock))")) }
        let results = try link.roundTrip(steps, seconds: 10)
        let check = results[Self.settings.count]
        guard check.bytes(0, 0).first == 1 else {
            throw PostgreSQLConnectionLost(
                reason: """
                    text must sort by its bytes, and be UTF-8: make the database with \
                    'createdb --template=template0 --encoding=UTF8 --locale=C NAME'
                    """)
        }
        if target.isExclusive, results.last?.bytes(0, 0).first != 1 {
            throw PostgreSQLConnectionLost(reason: "another coordinator works on it")
        }
        return link
    }

    /// A coordinator that hangs in a transaction must not keep others from writing. Whoever gave up waiting for the disk
    /// for the whole server has not done so for us.
    package static let settings = [
        "SET client_encoding = 'UTF8'", "SET standard_conforming_strings = on", "SET client_min_messages = warning",
        "SET jit = off", "SET statement_timeout = '\(statementSeconds)s'", "SET lock_timeout = '10s'",
        "SET idle_in_transaction_session_timeout = '60s'",
        // A coordinator that was cut off hard keeps its locks until the server notices. No connection over a Unix socket
        // has such times, and the server passes these over for them.
        "SET tcp_keepalives_idle = 5", "SET tcp_keepalives_interval = 3", "SET tcp_keepalives_count = 3",
        "SET tcp_user_timeout = '15s'",
        """
        SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
        """
    ]

    private static let check =
        "SELECT current_setting('server_encoding') = 'UTF8' AND 'B' < 'a' AND 'Z' < '_' AND 'z' < 'ä'"

    private static func explain(_ error: any Error) -> String {
        switch error {
        case let lost as PostgreSQLConnectionLost: lost.reason
        case let failure as PostgreSQLLink.Failure: failure.error.message
        case StoreError.unavailable(let reason): reason
        default: "\(error)"
        }
    }
}
