import Glibc
import Logging

/// What the simulated daemons log: to standard error with `SKERRY_SIMULATION_LOG` set, else nowhere.
enum SimulationLog {
    static func logger(_ name: String) -> Logger {
        guard getenv("SKERRY_SIMULATION_LOG") != nil else {
            return Logger(label: name) { _ in SwiftLogNoOpLogHandler() }
        }
        var logger = Logger(label: name) { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .debug
        return logger
    }
}
