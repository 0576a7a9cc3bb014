import Collections
import Logging
import Synchronization

/// Writes refused changes and failed log-ins to the event log behind the answers: one who guesses passwords must cost
/// neither a disk flush each nor unlimited space.
public final class RefusalLog: Sendable {
    private struct State {
        var waiting: Deque<Event> = []
        var dropped = 0
    }

    /// Kept for one flush; with one flush a second also the rate.
    private static let limit = 200

    private let state = Mutex(State())
    private let database: any SQLDatabase
    private let logger: Logger

    init(database: any SQLDatabase, logger: Logger) {
        self.database = database
        self.logger = logger
    }

    func note(_ event: Event) {
        state.withLock { state in
            if state.waiting.count < Self.limit { state.waiting.append(event) } else { state.dropped += 1 }
        }
    }

    /// Writes what has been noted.
    public func flush() async {
        let (events, dropped) = state.withLock { state in
            defer { state = State() }
            return (Array(state.waiting), state.dropped)
        }
        if dropped > 0 { logger.warning("refusals not recorded", metadata: ["count": "\(dropped)"]) }
        guard !events.isEmpty else { return }
        do {
            try await database.write { transaction in
                for event in events { try EventLog.append(event, in: transaction) }
            }
        } catch {
            logger.error("refusals could not be recorded", metadata: ["count": "\(events.count)", "error": "\(error)"])
        }
    }

    /// Flushes once a second until the task is cancelled, and once more then.
    func run() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .seconds(1))
            await flush()
        }
    }
}
