import HTTPTypes
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import NIOPosix
import NIOSSL
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
        public struct TLSFiles: Sendable {
            public var certificateChain: String
            public var privateKey: String

            public init(certificateChain: String, privateKey: String) {
                self.certificateChain = certificateChain
                self.privateKey = privateKey
            }
        }

        public var host: String
        public var port: Int
        /// `nil` serves plain HTTP, which only a loopback address may.
        public var tls: TLSFiles?
        /// A socket that only its owner can open; whoever does is the administrator. `nil` for none.
        public var operatorSocket: String?
        /// Connections at a time; further ones wait in the kernel's backlog.
        public var maximumConnections = 4096
        /// A connection on which nothing moves for so long is closed.
        public var idleTimeout: Duration = .seconds(75)

        public init(host: String, port: Int, tls: TLSFiles?, operatorSocket: String?) {
            self.host = host
            self.port = port
            self.tls = tls
            self.operatorSocket = operatorSocket
        }
    }

    public enum Failure: Error, Sendable, CustomStringConvertible {
        case plainBeyondLoopback(String)
        case badCertificate(path: String, reason: String)
        case socket(path: String, reason: String)

        public var description: String {
            switch self {
            case .plainBeyondLoopback(let host):
                """
                Without TLS the API listens on loopback only, not on '\(host)': \
                give it a certificate and key, or use 127.0.0.1.
                """
            case .badCertificate(let path, let reason):
                "The API's certificate or key '\(path)' cannot be used: \(reason)"
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
        var services = [
            try builder(tls: configuration.tls).buildServer(
                configuration: serverConfiguration(.hostname(configuration.host, port: configuration.port)),
                eventLoopGroup: group, logger: quiet,
                responder: responder(scheme: configuration.tls == nil ? "http" : "https", isTrusted: false),
                onServerRunning: { [onListening] channel in await onListening(channel.localAddress?.port ?? 0) })
        ]
        if let path = configuration.operatorSocket {
            services.append(
                try builder(tls: nil).buildServer(
                    configuration: serverConfiguration(.unixDomainSocket(path: path)), eventLoopGroup: group,
                    logger: quiet,
                    responder: responder(scheme: "http", isTrusted: true),
                    onServerRunning: { [logger] _ in
                        // Until here a umask that keeps others from writing does it: connecting takes that right.
                        guard chmod(path, 0o600) != 0 else { return }
                        logger.error("operator socket", metadata: ["path": "\(path)", "errno": "\(errno)"])
                    }))
        }
        return services
    }

    /// The library tells of each connection and state; the daemon says itself what it listens on.
    private var quiet: Logger {
        var quiet = logger
        quiet.logLevel = .warning
        return quiet
    }

    private func serverConfiguration(_ address: BindAddress) -> ServerConfiguration {
        ServerConfiguration(
            address: address, serverName: nil, backlog: 1024, reuseAddress: true,
            availableConnectionsDelegate: MaximumAvailableConnections(configuration.maximumConnections))
    }

    private func builder(tls: Configuration.TLSFiles?) throws -> HTTPServerBuilder {
        let nanoseconds = configuration.idleTimeout.components.seconds * 1_000_000_000
        let plain = HTTPServerBuilder.http1(configuration: .init(idleTimeout: .nanoseconds(nanoseconds)))
        guard let tls else { return plain }
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(tls.certificateChain)
            let key = try NIOSSLPrivateKey(file: tls.privateKey, format: .pem)
            var settings = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
            settings.minimumTLSVersion = .tlsv12
            settings.applicationProtocols = ["http/1.1"]
            return try .tls(plain, tlsConfiguration: settings)
        } catch { throw Failure.badCertificate(path: tls.certificateChain, reason: "\(error)") }
    }

    private func responder(scheme: String, isTrusted: Bool) -> HTTPChannelHandler.Responder {
        { [pipeline] request, writer, channel in
            if request.headers[.expect]?.lowercased() == "100-continue" {
                try await writer.writeInformationalHead(HTTPResponse(status: .continue))
            }
            let response = await pipeline.respond(
                to: IncomingRequest(
                    method: request.method, target: request.head.path ?? "/", headers: request.headers,
                    body: .stream { each in
                        for try await chunk in request.body { try await each(chunk) }
                    },
                    scheme: scheme, authority: request.head.authority ?? "localhost",
                    remoteAddress: channel.remoteAddress?.ipAddress ?? "local", isTrusted: isTrusted))
            let head = HTTPResponse(status: .init(code: response.status), headerFields: response.headers)
            switch response.body {
            case .none: try await writer.writeResponse(head)
            case .bytes(let bytes):
                try await writer.write(response: head, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
            case .stream(let chunks):
                let body = ResponseBody { writer in
                    for try await chunk in chunks { try await writer.write(chunk) }
                    try await writer.finish(nil)
                }
                try await writer.write(response: head, body: body)
            }
        }
    }
}
