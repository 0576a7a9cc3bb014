import CPostgres
import Glibc

/// One connection of libpq in its pipeline mode: what is sent together costs one round trip. Its calls block, so it is
/// used on a thread of its own (``PostgreSQLConnection``), and never for longer than the deadlines say.
final class PostgreSQLLink {
    /// One command of a round trip.
    enum Step {
        /// Without arguments, and not kept.
        case command(String)
        case prepare(name: String, sql: String, types: [UInt32])
        case describe(name: String)
        case run(name: String, PostgreSQLArguments)
    }

    /// A round trip in which a command failed; those behind it were not done.
    struct Failure: Error {
        /// Which of the steps it was.
        var step: Int
        var error: PostgreSQLError
    }

    private let library: PostgreSQLLibrary
    private let connection: OpaquePointer
    private var pq: SkerryPQ { library.pq }

    /// Connects.
    /// - Parameter url: What libpq takes as a connection string; what it does not say is asked of libpq's environment.
    /// - Throws: ``PostgreSQLConnectionLost`` with libpq's reason.
    init(url: String, timeoutSeconds: Int) throws {
        let library = try PostgreSQLLibrary.load()
        // The last one of a name counts, so the URL may say otherwise.
        let settings = [
            ("fallback_application_name", "skerry"), ("connect_timeout", "\(timeoutSeconds)"),
            ("keepalives_idle", "5"), ("keepalives_interval", "3"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "15000"), ("dbname", url)
        ]
        let opened = Self.withStrings(settings.map(\.0)) { names in
            Self.withStrings(settings.map(\.1)) { values in library.pq.PQconnectdbParams(names, values, 1) }
        }
        guard let opened else { throw PostgreSQLConnectionLost(reason: "out of memory") }
        self.library = library
        connection = opened
        guard library.pq.PQstatus(connection) == CONNECTION_OK else { throw lost() }
        // What the server remarks goes nowhere instead of to the standard error.
        _ = library.pq.PQsetNoticeProcessor(connection, { _, _ in }, nil)
        guard library.pq.PQsetnonblocking(connection, 1) == 0, library.pq.PQenterPipelineMode(connection) == 1 else {
            throw lost()
        }
    }

    deinit { pq.PQfinish(connection) }

    /// For example 150018: 15.18.
    var serverVersion: Int { Int(pq.PQserverVersion(connection)) }

    /// Sends the steps and waits for all results.
    /// - Returns: One result for each step.
    /// - Throws: ``Failure``, or ``PostgreSQLConnectionLost``: then nobody knows what of it was done.
    func roundTrip(_ steps: [Step], seconds: Int) throws -> [PostgreSQLResult] {
        for step in steps { guard send(step) else { throw lost() } }
        guard pq.PQpipelineSync(connection) == 1 else { throw lost() }
        let deadline = ContinuousClock.now + .seconds(seconds)
        try flush(until: deadline)
        var results: [PostgreSQLResult] = []
        var failure: Failure?
        while let result = try next(until: deadline) {
            switch result.status {
            case PGRES_PIPELINE_SYNC:
                if let failure { throw failure }
                return results
            case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE, PGRES_NONFATAL_ERROR:
                failure = failure ?? Failure(step: results.count, error: result.error)
                results.append(result)
            default: results.append(result)
            }
        }
        throw lost()
    }

    private func send(_ step: Step) -> Bool {
        switch step {
        case .command(let sql): pq.PQsendQueryParams(connection, sql, 0, nil, nil, nil, nil, 1) == 1
        case .prepare(let name, let sql, let types):
            pq.PQsendPrepare(connection, name, sql, Int32(types.count), types) == 1
        case .describe(let name): pq.PQsendDescribePrepared(connection, name) == 1
        case .run(let name, let arguments):
            arguments.withPointers { count, values, lengths, formats in
                pq.PQsendQueryPrepared(connection, name, count, values, lengths, formats, 1) == 1
            }
        }
    }

    private func flush(until deadline: ContinuousClock.Instant) throws {
        while true {
            let left = pq.PQflush(connection)
            if left == 0 { return }
            guard left == 1 else { throw lost() }
            // The server may wait for us to read before it reads on.
            let ready = try wait(for: Int16(POLLIN | POLLOUT), until: deadline)
            if ready & Int16(POLLIN) != 0, pq.PQconsumeInput(connection) == 0 { throw lost() }
        }
    }

    /// The next result; each command's end, which libpq shows as none, is passed over.
    private func next(until deadline: ContinuousClock.Instant) throws -> PostgreSQLResult? {
        for _ in 0..<2 {
            while pq.PQisBusy(connection) == 1 {
                _ = try wait(for: Int16(POLLIN), until: deadline)
                guard pq.PQconsumeInput(connection) == 1 else { throw lost() }
            }
            if let result = pq.PQgetResult(connection) {
                let result = PostgreSQLResult(result, library)
                if pq.PQstatus(connection) != CONNECTION_OK { throw lost(result) }
                return result
            }
        }
        return nil
    }

    private func wait(for events: Int16, until deadline: ContinuousClock.Instant) throws -> Int16 {
        while true {
            let left = deadline - .now
            guard left > .zero else { throw PostgreSQLConnectionLost(reason: "no answer in time") }
            var descriptor = pollfd(fd: pq.PQsocket(connection), events: events, revents: 0)
            let milliseconds = min(left.components.seconds + 1, 3_600) * 1_000
            let count = poll(&descriptor, 1, Int32(milliseconds))
            if count > 0 { return descriptor.revents }
            if count < 0, errno != EINTR { throw PostgreSQLConnectionLost(reason: String(cString: strerror(errno))) }
        }
    }

    private func lost(_ result: PostgreSQLResult? = nil) -> PostgreSQLConnectionLost {
        let text = result?.error.message ?? ""
        let reason = text.isEmpty ? pq.PQerrorMessage(connection).map { String(cString: $0) } ?? "" : text
        let lines = reason.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return PostgreSQLConnectionLost(reason: lines.isEmpty ? "the connection ended" : lines)
    }

    /// A list of C strings that ends with none.
    private static func withStrings<T>(_ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> T) -> T {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies.map { UnsafePointer($0) } + [nil])
    }
}
