import Logging
import ProtocolModel
import Synchronization

/// Writes refused changes and failed log-ins to the event log behind the answers: one who guesses passwords must cost
/// neither a disk flush each nor unlimited space.
public final class RefusalLog: Sendable {
    private let windows = Mutex(RefusalWindows())
    private let database: any SQLDatabase
    private let clock: any WallClock
    private let logger: Logger

    init(database: any SQLDatabase, clock: any WallClock, logger: Logger) {
        self.database = database
        self.clock = clock
        self.logger = logger
    }

    func note(_ event: Event) { windows.withLock { $0.note(event) } }

    /// Writes all that has been noted, also what may still repeat.
    public func flush() async { await write(windows.withLock { $0.drain(now: clock.now(), isLast: true) }) }

    /// Writes what is due once a second until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            await write(windows.withLock { $0.drain(now: clock.now()) })
        }
    }

    private func write(_ events: [Event]) async {
        guard !events.isEmpty else { return }
        do {
            try await database.write { transaction in
                for event in events { try EventLog.append(event, in: transaction) }
            }
        } catch {
            logger.error("refusals could not be recorded", metadata: ["count": "\(events.count)", "error": "\(error)"])
        }
    }
}
