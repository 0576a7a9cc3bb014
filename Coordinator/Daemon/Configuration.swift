import CoordinatorIdentity
import CoordinatorImage
import CoordinatorPlatform
import Logging
import Yams

/// What `skerry-coordinator` is told, from one YAML file. `packaging/config/coordinator.yaml` explains every key.
struct Configuration: Sendable, Equatable {
    /// Database, CA, images, keys.
    var stateDirectory = "/var/lib/skerry/coordinator"
    var api = API()
    var agents = Agents()
    /// Where `skerry` finds the coordinator; mode 0600.
    var socket = "/run/skerry/coordinator.sock"
    /// `nil` serves no metrics.
    var metricsListen: Endpoint? = Endpoint(host: "127.0.0.1", port: 8702)
    var logLevel = Logger.Level.info
    var logsJSON = false
    var region = "RegionOne"
    /// What is demanded of passwords and log-ins.
    var security = SecurityCompliance()
    var images = Images()
    /// What the operator's file of rules is called; `nil` is `policy.yaml` beside the configuration, if there is one.
    var policyFile: String?
    var audit = Audit()

    struct Images: Sendable, Equatable {
        var data = ImageSettings()
        /// Without the property protections, which lie in a file of their own.
        var metadata = ImageMetadataSettings()
        var propertyProtections: PropertyProtectionsFile?
    }

    struct API: Sendable, Equatable {
        var listen = Endpoint(host: "127.0.0.1", port: 8700)
        var isTLS = true
        /// What the catalog says; made from `listen` when not given.
        var publicURL: String?
    }

    struct Agents: Sendable, Equatable {
        var listen = Endpoint(host: "0.0.0.0", port: 8701)
        /// Names and addresses that agents dial, for the certificate.
        var names: [String] = []
    }

    struct Audit: Sendable, Equatable {
        /// How long the event log keeps a line.
        var keepDays = 90
        /// Where events are sent besides.
        var syslog: SyslogDestination?
    }

    struct Endpoint: Sendable, Equatable, CustomStringConvertible {
        var host: String
        var port: Int

        /// Reads `HOST:PORT`, an IPv6 host in brackets.
        init?(_ text: String) {
            guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
                (0...65_535).contains(port)
            else { return nil }
            var host = String(text[..<colon])
            if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
            guard !host.isEmpty else { return nil }
            self.init(host: host, port: port)
        }

        init(host: String, port: Int) {
            self.host = host
            self.port = port
        }

        var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    }

    var publicURL: String { api.publicURL ?? "\(api.isTLS ? "https" : "http")://\(api.listen)" }
}

/// A configuration file that cannot be used; every mistake in it at once.
struct ConfigurationError: Error, CustomStringConvertible {
    var path: String
    var problems: [String]

    var description: String {
        "The configuration '\(path)' cannot be used:\n" + problems.map { "  - \($0)" }.joined(separator: "\n")
    }
}

extension Configuration {
    /// - Throws: ``ConfigurationError`` for unknown keys and wrong values, with the line each stands on.
    static func parse(_ text: String, path: String) throws -> Configuration {
        var reader = Reader()
        var configuration = Configuration()
        do {
            if let root = try Yams.compose(yaml: text) { reader.read(root, into: &configuration) }
        } catch {
            reader.problems.append("It is not YAML: \(error)")
        }
        guard reader.problems.isEmpty else { throw ConfigurationError(path: path, problems: reader.problems) }
        return configuration
    }

    struct Reader {
        var problems: [String] = []

        mutating func read(_ root: Node, into configuration: inout Configuration) {
            for (name, value) in members(root, of: "the file") {
                switch name {
                case "state_directory": configuration.stateDirectory = string(value, name)
                case "socket": configuration.socket = string(value, name)
                case "region": configuration.region = string(value, name)
                case "api": readAPI(value, into: &configuration.api)
                case "agents": readAgents(value, into: &configuration.agents)
                case "metrics": readMetrics(value, into: &configuration)
                case "log": readLog(value, into: &configuration)
                case "identity": readIdentity(value, into: &configuration.security)
                case "images": readImages(value, into: &configuration.images)
                case "policy_file": configuration.policyFile = string(value, name)
                case "audit": readAudit(value, into: &configuration.audit)
                default:
                    unknown(
                        name, value,
                        known: """
                            state_directory, socket, region, api, agents, metrics, log, identity, images, \
                            policy_file, audit
                            """)
                }
            }
        }

        private mutating func readAPI(_ node: Node, into api: inout API) {
            for (name, value) in members(node, of: "'api'") {
                switch name {
                case "listen": endpoint(value, "api.listen").map { api.listen = $0 }
                case "tls": api.isTLS = flag(value, "api.tls")
                case "public_url": api.publicURL = string(value, "api.public_url")
                default: unknown(name, value, known: "listen, tls, public_url")
                }
            }
        }

        private mutating func readAgents(_ node: Node, into agents: inout Agents) {
            for (name, value) in members(node, of: "'agents'") {
                switch name {
                case "listen": endpoint(value, "agents.listen").map { agents.listen = $0 }
                case "names":
                    if let names = value.sequence?.map(\.string), !names.contains(nil) {
                        agents.names = names.compactMap { $0 }
                    } else {
                        wrong(value, "agents.names", "a list of host names and addresses")
                    }
                default: unknown(name, value, known: "listen, names")
                }
            }
        }

        private mutating func readMetrics(_ node: Node, into configuration: inout Configuration) {
            for (name, value) in members(node, of: "'metrics'") {
                switch name {
                case "listen":
                    configuration.metricsListen = value.string == "none" ? nil : endpoint(value, "metrics.listen")
                default: unknown(name, value, known: "listen")
                }
            }
        }

        private mutating func readLog(_ node: Node, into configuration: inout Configuration) {
            for (name, value) in members(node, of: "'log'") {
                switch name {
                case "level":
                    if let level = value.string.flatMap(Logger.Level.init(rawValue:)) {
                        configuration.logLevel = level
                    } else {
                        wrong(value, "log.level", "trace, debug, info, notice, warning, error or critical")
                    }
                case "format":
                    switch value.string {
                    case "json": configuration.logsJSON = true
                    case "text": configuration.logsJSON = false
                    default: wrong(value, "log.format", "text or json")
                    }
                default: unknown(name, value, known: "level, format")
                }
            }
        }

        mutating func whole(
            _ node: Node, _ name: String, _ what: String, _ range: ClosedRange<Int64>, _ set: (Int64) -> Void
        ) {
            if let value = node.int.map(Int64.init), range.contains(value) {
                set(value)
            } else {
                wrong(node, name, "\(what), \(range.lowerBound) to \(range.upperBound)")
            }
        }

        mutating func list<T>(_ node: Node, _ name: String, _ what: String, _ read: (Node) -> T?) -> [T]? {
            guard let items = node.sequence?.map(read), !items.contains(where: { $0 == nil }) else {
                wrong(node, name, what)
                return nil
            }
            return items.compactMap { $0 }
        }

        private mutating func readAudit(_ node: Node, into audit: inout Audit) {
            for (name, value) in members(node, of: "'audit'") {
                switch name {
                case "keep_days":
                    if let days = value.int, (1...36_500).contains(days) {
                        audit.keepDays = days
                    } else {
                        wrong(value, "audit.keep_days", "a number of days, 1 to 36500")
                    }
                case "syslog": readSyslog(value, into: &audit)
                default: unknown(name, value, known: "keep_days, syslog")
                }
            }
        }

        private mutating func readSyslog(_ node: Node, into audit: inout Audit) {
            let text = node.string ?? ""
            if text == "none" {
                audit.syslog = nil
            } else if text.hasPrefix("/") {
                audit.syslog = .socket(path: text)
            } else if text.hasPrefix("udp://"), let endpoint = Endpoint(String(text.dropFirst(6))), endpoint.port > 0 {
                audit.syslog = .udp(host: endpoint.host, port: endpoint.port)
            } else {
                wrong(node, "audit.syslog", "none, the path of a socket such as /dev/log, or udp://HOST:PORT")
            }
        }

        mutating func members(_ node: Node, of what: String) -> [(String, Node)] {
            guard let mapping = node.mapping else {
                wrong(node, what, "a mapping of names to values")
                return []
            }
            return mapping.map { ($0.key.string ?? "", $0.value) }
        }

        mutating func string(_ node: Node, _ name: String) -> String {
            guard let text = node.scalar?.string, !text.isEmpty else {
                wrong(node, name, "some text")
                return ""
            }
            return text
        }

        mutating func flag(_ node: Node, _ name: String) -> Bool {
            guard let flag = node.bool else {
                wrong(node, name, "true or false")
                return false
            }
            return flag
        }

        private mutating func endpoint(_ node: Node, _ name: String) -> Endpoint? {
            guard let endpoint = node.string.flatMap(Endpoint.init) else {
                wrong(node, name, "HOST:PORT")
                return nil
            }
            return endpoint
        }

        mutating func wrong(_ node: Node, _ name: String, _ wanted: String) {
            problems.append("line \(node.mark?.line ?? 0): \(name) must be \(wanted).")
        }

        mutating func unknown(_ name: String, _ node: Node, known: String) {
            problems.append("line \(node.mark?.line ?? 0): '\(name)' is not known here; known are \(known).")
        }
    }
}
