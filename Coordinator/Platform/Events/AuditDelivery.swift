import Logging
import ProtocolModel
import Synchronization

/// Takes one message further: a syslog server, or a test.
public protocol AuditSink: Sendable {
    func send(_ message: [UInt8]) throws
}

extension SyslogSocket: AuditSink {}

/// Hands the event log on to syslog, from where it stopped the last time. What was sent is noted after each line, so
/// that a restart repeats one line at most and loses none.
public final class AuditDelivery: Sendable {
    private let database: any SQLDatabase
    private let format: SyslogFormat
    private let name: String
    private let pool = BlockingPool(threads: 1, waiting: 1)
    private let connect: @Sendable () throws -> any AuditSink
    /// Open while it works; made anew after a failure, since the server may have been restarted.
    private let sink = Mutex<(any AuditSink)?>(nil)
    /// Lines of one reading.
    private static let batch = 200

    /// - Parameter destination: Also the name of the place that is noted: a new destination begins with new events.
    public convenience init(database: any SQLDatabase, destination: SyslogDestination, format: SyslogFormat) {
        self.init(database: database, name: "syslog \(destination)", format: format) { try SyslogSocket(destination) }
    }

    public init(
        database: any SQLDatabase, name: String, format: SyslogFormat,
        connect: @escaping @Sendable () throws -> any AuditSink
    ) {
        self.database = database
        self.name = name
        self.format = format
        self.connect = connect
    }

    /// Sends what is new, all of it.
    /// - Throws: What the destination refuses; the rest waits for the next pass.
    public func pass() async throws {
        var place = try await begin()
        while true {
            let start = place
            let events = try await database.read { try EventLog.events(after: start, limit: Self.batch, in: $0) }
            for event in events {
                try await send(format.render(event))
                let old = place
                try await database.write { [name] in try EventLog.move(name, from: old, to: event.number, in: $0) }
                place = event.number
            }
            if events.count < Self.batch { return }
        }
    }

    /// Where to go on; a destination that is new begins with what happens from now on.
    private func begin() async throws -> Int64 {
        if let place = try await database.read({ [name] in try EventLog.cursor(name, in: $0) }) { return place }
        return try await database.write { [name] transaction in
            try EventLog.begin(name, at: try EventLog.newest(in: transaction), in: transaction)
            return try EventLog.cursor(name, in: transaction) ?? 0
        }
    }

    private func send(_ message: [UInt8]) async throws {
        try await pool.run { [self] in
            let open = try sink.withLock { sink in
                if let open = sink { return open }
                let made = try connect()
                sink = made
                return made
            }
            do { try open.send(message) } catch {
                sink.withLock { $0 = nil }
                throw error
            }
        }
    }
}

/// Removes events that are older than they are to be kept.
public struct AuditSweep: Sendable {
    private let database: any SQLDatabase
    private let clock: any WallClock
    private let keep: Int64
    /// Lines that one transaction removes.
    private static let batch = 5_000

    /// - Parameter days: How long events are kept.
    public init(database: any SQLDatabase, clock: any WallClock, days: Int) {
        self.database = database
        self.clock = clock
        keep = Int64(days) * 86_400_000_000
    }

    /// - Returns: How many were removed.
    @discardableResult
    public func pass() async throws -> Int {
        let end = clock.now() - keep
        var removed = 0
        while !Task.isCancelled {
            let count = try await database.write { try EventLog.remove(before: end, limit: Self.batch, in: $0) }
            removed += count
            if count < Self.batch { break }
        }
        return removed
    }
}
