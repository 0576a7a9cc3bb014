import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The coordinator's HTTP face: one TLS (or, on loopback, plain) port and the operator's socket, both in front of one
/// ``RequestPipeline``.
public struct HTTPServer: Service {
    public struct Configuration: Sendable {
        public var host: String
        public var port: Int
        /// `nil` serves plain HTTP, which only a loopback address may.
        public var tls: ServedCertificate?
        /// A socket that only its owner can open; whoever does is the administrator. `nil` for none.
        public var operatorSocket: String?
        /// Connections at a time; further ones wait in the kernel's backlog.
        public var maximumConnections = 4096
        /// A connection on which nothing moves for so long is closed.
        public var idleTimeout: Duration = .seconds(75)

        public init(host: String, port: Int, tls: ServedCertificate?, operatorSocket: String?) {
            self.host = host
            self.port = port
            self.tls = tls
            self.operatorSocket = operatorSocket
        }
    }

    public enum Failure: Error, Sendable, CustomStringConvertible {
        case plainBeyondLoopback(String)
        case badCertificate(reason: String)
        case socket(path: String, reason: String)

        public var description: String {
            switch self {
            case .plainBeyondLoopback(let host):
                """
                Without TLS the API listens on loopback only, not on '\(host)': \
                give it a certificate and key, or use 127.0.0.1.
                """
            case .badCertificate(let reason): "The API's certificate or key cannot be used: \(reason)"
            case .socket(let path, let reason): "The operator's socket '\(path)' cannot be made: \(reason)"
            }
        }
    }

    private let pipeline: RequestPipeline
    private let configuration: Configuration
    private let group: any EventLoopGroup
    private let logger: Logger
    private let onListening: @Sendable (_ port: Int) async -> Void

    /// - Parameter onListening: Called with the port once it is open (the configuration may say 0).
    public init(
        pipeline: RequestPipeline, configuration: Configuration,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, logger: Logger,
        onListening: @escaping @Sendable (_ port: Int) async -> Void = { _ in }
    ) throws {
        if configuration.tls == nil, !["127.0.0.1", "::1", "localhost"].contains(configuration.host) {
            throw Failure.plainBeyondLoopback(configuration.host)
        }
        self.pipeline = pipeline
        self.configuration = configuration
        self.group = group
        self.logger = logger
        self.onListening = onListening
    }

    /// Serves until the service group stops it; requests under way are finished.
    public func run() async throws {
        let services = try listeners()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for service in services { tasks.addTask { try await service.run() } }
            let refusals = Task { await pipeline.refusals.run() }
            defer { refusals.cancel() }
            try await tasks.waitForAll()
        }
        await pipeline.refusals.flush()
    }

    private func listeners() throws -> [any Service] {
        let scheme = configuration.tls == nil ? "http" : "https"
        var services = [
            try server(
                Listener(scheme: scheme, isTrusted: false), tls: configuration.tls,
                at: .hostname(configuration.host, port: configuration.port)
            ) { [onListening] channel in await onListening(channel.localAddress?.port ?? 0) }
        ]
        if let path = configuration.operatorSocket {
            services.append(
                try server(Listener(scheme: "http", isTrusted: true), tls: nil, at: .unixDomainSocket(path: path)) {
                    [logger] _ in
                    // Until here a umask that keeps others from writing does it: connecting takes that right.
                    guard chmod(path, 0o600) != 0 else { return }
                    logger.error("operator socket", metadata: ["path": "\(path)", "errno": "\(errno)"])
                })
        }
        return services
    }

    /// The library tells of each connection and state; the daemon says itself what it listens on.
    private var quiet: Logger {
        var quiet = logger
        quiet.logLevel = .warning
        return quiet
    }

    private func server(
        _ listener: Listener, tls: ServedCertificate?, at address: BindAddress,
        onRunning: @escaping @Sendable (any Channel) async -> Void
    ) throws -> any Service {
        let seconds = configuration.idleTimeout.components.seconds
        let connections = HTTPConnectionSetup(pipeline: pipeline, listener: listener, idleTimeout: .seconds(seconds))
        let settings = ServerConfiguration(
            address: address, serverName: nil, backlog: 1024, reuseAddress: true,
            availableConnectionsDelegate: MaximumAvailableConnections(configuration.maximumConnections))
        guard let tls else {
            return connections.server(
                configuration: settings, onServerRunning: onRunning, eventLoopGroup: group, logger: quiet)
        }
        return TLSConnectionSetup(base: connections, certificate: tls).server(
            configuration: settings, onServerRunning: onRunning, eventLoopGroup: group, logger: quiet)
    }
}
