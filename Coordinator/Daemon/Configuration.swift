import CoordinatorCompute
import CoordinatorConsole
import CoordinatorIdentity
import CoordinatorImage
import CoordinatorNetwork
import CoordinatorObjectStorage
import CoordinatorPlatform
import ProtocolSettings

/// What `skerry-coordinator` is told, from one YAML file. `packaging/config/coordinator.yaml` explains every key.
package struct Configuration: Sendable, Equatable {
    /// Database, CA, images, keys.
    var stateDirectory = "/var/lib/skerry/coordinator"
    /// The database; `nil` is a file in the state directory.
    var store: StoreLocation?
    var api = API()
    var agents = Agents()
    /// Where `skerry` finds the coordinator; mode 0600.
    var socket = "/run/skerry/coordinator.sock"
    var common = CommonSettings(metricsListen: ListenAddress(host: "127.0.0.1", port: 8702))
    var region = "RegionOne"
    /// What is demanded of passwords and log-ins.
    var security = SecurityCompliance()
    var images = Images()
    var network = NetworkSettings()
    var objectStorage = ObjectStorage()
    var compute = ComputeSettings()
    /// What the operator's file of rules is called; `nil` is `policy.yaml` beside the configuration, if there is one.
    var policyFile: String?
    var console = Console()
    var audit = Audit()
    var backup = BackupSettings()

    package init() {}

    struct Images: Sendable, Equatable {
        var data = ImageSettings()
        /// Without the property protections, which lie in a file of their own.
        var metadata = ImageMetadataSettings()
        var propertyProtections: PropertyProtectionsFile?
    }

    struct ObjectStorage: Sendable, Equatable {
        /// Where agents serve objects; `nil`: on the host of the public URL.
        var endpoint: ObjectEndpoint?
        /// `endpoint: none`.
        var isOff = false
    }

    struct API: Sendable, Equatable {
        var listen = ListenAddress(host: "127.0.0.1", port: 8700)
        var isTLS = true
        /// What the catalog says; made from `listen` when not given.
        var publicURL: String?
    }

    struct Agents: Sendable, Equatable {
        var listen = ListenAddress(host: "0.0.0.0", port: 8701)
        /// Names and addresses that agents dial, for the certificate.
        var names: [String] = []
    }

    struct Audit: Sendable, Equatable {
        /// How long the event log keeps a line.
        var keepDays = 90
        /// Where events are sent besides.
        var syslog: SyslogDestination?
    }

    var storeLocation: StoreLocation { store ?? .file(StateFiles(root: stateDirectory).database) }

    var objectEndpoint: ObjectEndpoint? {
        objectStorage.isOff ? nil : objectStorage.endpoint ?? ObjectEndpoint(besidePublicURL: publicURL)
    }

    /// The public URL's host, without brackets.
    var apiHost: String? { ObjectEndpoint(besidePublicURL: publicURL)?.host }

    var publicURL: String { api.publicURL ?? "\(api.isTLS ? "https" : "http")://\(api.listen)" }
}

extension Configuration {
    /// - Throws: ``SettingsError`` for unknown keys and wrong values, with the line each stands on.
    static func parse(_ text: String, path: String) throws(SettingsError) -> Configuration {
        var configuration = Configuration()
        try SettingsReader.read(text, path: path) { reader, root in reader.readCoordinator(root, into: &configuration) }
        return configuration
    }
}

extension SettingsReader {
    fileprivate mutating func readCoordinator(_ root: Node, into configuration: inout Configuration) {
        for (name, value) in members(root, of: "the file") {
            switch name {
            case "state_directory": path(value, name).map { configuration.stateDirectory = $0 }
            case "socket": path(value, name).map { configuration.socket = $0 }
            case "region": string(value, name).map { configuration.region = $0 }
            case "store": readStore(value, into: &configuration)
            case "api": readAPI(value, into: &configuration.api)
            case "agents": readAgents(value, into: &configuration.agents)
            case "metrics": readMetrics(value, into: &configuration.common)
            case "log": readLog(value, into: &configuration.common)
            case "identity": readIdentity(value, into: &configuration.security)
            case "images": readImages(value, into: &configuration.images)
            case "network": readNetwork(value, into: &configuration.network)
            case "object_storage": readObjectStorage(value, into: &configuration.objectStorage)
            case "compute": readCompute(value, into: &configuration.compute)
            case "policy_file": string(value, name).map { configuration.policyFile = $0 }
            case "console": readConsole(value, into: &configuration.console)
            case "audit": readAudit(value, into: &configuration.audit)
            case "backup": readBackup(value, into: &configuration.backup)
            default:
                unknown(
                    name, value,
                    known: """
                        state_directory, store, socket, region, api, agents, metrics, log, identity, images, \
                        network, compute, console, object_storage, policy_file, audit, backup
                        """)
            }
        }
    }

    private mutating func readStore(_ node: Node, into configuration: inout Configuration) {
        for (name, value) in members(node, of: "'store'") {
            switch name {
            case "url":
                guard let location = value.string.flatMap(StoreLocation.init) else {
                    wrong(value, "store.url", "sqlite:///PATH or postgresql://USER@HOST/DATABASE")
                    continue
                }
                configuration.store = location
            default: unknown(name, value, known: "url")
            }
        }
    }

    private mutating func readAPI(_ node: Node, into api: inout Configuration.API) {
        for (name, value) in members(node, of: "'api'") {
            switch name {
            case "listen": address(value, "api.listen").map { api.listen = $0 }
            case "tls": flag(value, "api.tls").map { api.isTLS = $0 }
            case "public_url": string(value, "api.public_url").map { api.publicURL = $0 }
            default: unknown(name, value, known: "listen, tls, public_url")
            }
        }
    }

    private mutating func readAgents(_ node: Node, into agents: inout Configuration.Agents) {
        for (name, value) in members(node, of: "'agents'") {
            switch name {
            case "listen": address(value, "agents.listen").map { agents.listen = $0 }
            case "names":
                list(value, "agents.names", "a list of host names and addresses") { $0 }.map { agents.names = $0 }
            default: unknown(name, value, known: "listen, names")
            }
        }
    }

    private mutating func readObjectStorage(_ node: Node, into objects: inout Configuration.ObjectStorage) {
        for (name, value) in members(node, of: "'object_storage'") {
            switch name {
            case "endpoint":
                objects.isOff = value.string == "none"
                guard !objects.isOff else { continue }
                parsed(value, "object_storage.endpoint", "https://HOST:PORT, or none") { ObjectEndpoint($0) }
                    .map { objects.endpoint = $0 }
            default: unknown(name, value, known: "endpoint")
            }
        }
    }

    private mutating func readAudit(_ node: Node, into audit: inout Configuration.Audit) {
        for (name, value) in members(node, of: "'audit'") {
            switch name {
            case "keep_days":
                number(value, "audit.keep_days", "a number of days", 1...36_500).map { audit.keepDays = Int($0) }
            case "syslog": readSyslog(value, into: &audit)
            default: unknown(name, value, known: "keep_days, syslog")
            }
        }
    }

    private mutating func readSyslog(_ node: Node, into audit: inout Configuration.Audit) {
        let text = node.string ?? ""
        if text == "none" {
            audit.syslog = nil
        } else if text.hasPrefix("/") {
            audit.syslog = .socket(path: text)
        } else if text.hasPrefix("udp://"), let address = ListenAddress(String(text.dropFirst(6))), address.port > 0 {
            audit.syslog = .udp(host: address.host, port: address.port)
        } else {
            wrong(node, "audit.syslog", "none, the path of a socket such as /dev/log, or udp://HOST:PORT")
        }
    }
}
