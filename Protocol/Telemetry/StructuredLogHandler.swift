import Glibc
import Logging

/// One line a record: see ``LogFormat``.
public struct StructuredLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let format: LogFormat
    private let writer: LogWriter

    public init(label: String, level: Logger.Level, format: LogFormat, writer: LogWriter = .standardError) {
        self.label = label
        self.format = format
        self.writer = writer
        logLevel = level
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let given = event.metadata { all.merge(given) { $1 } }
        if let error = event.error { all["error"] = "\(error)" }
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let record = LogRecord(
            time: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000, level: event.level, component: label,
            message: "\(event.message)",
            fields: all.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") })
        writer.write(record.line(format))
    }
}

/// The process's telemetry.
public enum Telemetry {
    private static let once = OnceFlag()

    /// Sends all loggers of the process to standard error. Once, at start; further calls change nothing.
    public static func bootstrap(logLevel: Logger.Level, format: LogFormat = .text) {
        guard once.isFirst() else { return }
        LoggingSystem.bootstrap(
            { label, provider in
                var handler = StructuredLogHandler(label: label, level: logLevel, format: format)
                handler.metadataProvider = provider
                return handler
            }, metadataProvider: nil)
    }

    /// Waits a second at most for what was logged to be written: before the process ends.
    public static func flush() { LogWriter.standardError.flush() }
}
