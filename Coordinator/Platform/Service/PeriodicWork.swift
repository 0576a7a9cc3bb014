import Logging
import ServiceLifecycle

/// Does one thing again and again: one pass at a time, the next an interval after the end of the last. A pass that
/// fails is told once, not each time, and the next one is tried all the same.
public struct PeriodicWork: Service {
    private let name: String
    private let interval: Duration
    private let logger: Logger
    private let work: @Sendable () async throws -> Void

    public init(
        _ name: String, every interval: Duration, logger: Logger, _ work: @escaping @Sendable () async throws -> Void
    ) {
        self.name = name
        self.interval = interval
        self.logger = logger
        self.work = work
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var lastFailure = ""
            while !Task.isCancelled {
                var failure = ""
                do { try await work() } catch is CancellationError { return } catch { failure = "\(error)" }
                if failure != lastFailure {
                    if failure.isEmpty {
                        logger.notice("works again", metadata: ["work": "\(name)"])
                    } else {
                        logger.error("failed", metadata: ["work": "\(name)", "error": "\(failure)"])
                    }
                }
                lastFailure = failure
                try? await Task.sleep(for: interval)
            }
        }
    }
}
