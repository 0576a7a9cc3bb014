import Logging

/// `metrics` and `log`: both daemons have them.
public struct CommonSettings: Sendable, Equatable {
    /// `nil` serves no metrics.
    public var metricsListen: ListenAddress?
    public var logLevel = Logger.Level.info
    public var logsJSON = false

    public init(metricsListen: ListenAddress?) {
        self.metricsListen = metricsListen
    }
}

extension SettingsReader {
    public mutating func readMetrics(_ node: Node, into settings: inout CommonSettings) {
        for (name, value) in members(node, of: "'metrics'") {
            switch name {
            case "listen":
                settings.metricsListen =
                    value.string == "none"
                    ? nil : parsed(value, "metrics.listen", "HOST:PORT, or none") { ListenAddress($0) }
            default: unknown(name, value, known: "listen")
            }
        }
    }

    public mutating func readLog(_ node: Node, into settings: inout CommonSettings) {
        for (name, value) in members(node, of: "'log'") {
            switch name {
            case "level":
                parsed(value, "log.level", "trace, debug, info, notice, warning, error or critical") {
                    Logger.Level(rawValue: $0)
                }.map { settings.logLevel = $0 }
            case "format":
                parsed(value, "log.format", "text or json") { ["text": false, "json": true][$0] }
                    .map { settings.logsJSON = $0 }
            default: unknown(name, value, known: "level, format")
            }
        }
    }
}
