import Logging
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL
import ProtocolModel

/// The listener for agents.
public final class LinkServer: Sendable {
    public struct Configuration: Sendable {
        public var host: String
        /// 0 picks a free one.
        public var port: Int
        /// How long a peer may be silent before it is asked for a sign of life; three such intervals end the session.
        public var keepAlive: Duration
        /// Connections in all; agents beyond it are turned away at once.
        public var maximumConnections: Int
        /// Connections that have not shown who they are yet.
        public var maximumPending: Int

        public init(
            host: String = "::", port: Int = LinkEndpoint.defaultPort, keepAlive: Duration = .seconds(5),
            maximumConnections: Int = 20_000, maximumPending: Int = 4096
        ) {
            self.host = host
            self.port = port
            self.keepAlive = keepAlive
            self.maximumConnections = maximumConnections
            self.maximumPending = maximumPending
        }
    }

    private let channel: any Channel
    private let sessions: AcceptedSessions
    private let logger: Logger

    private init(channel: any Channel, sessions: AcceptedSessions, logger: Logger) {
        self.channel = channel
        self.sessions = sessions
        self.logger = logger
    }

    /// Listens.
    /// - Throws: `IOError` when the address cannot be bound, ``LinkError`` for an unusable certificate.
    public static func start(
        _ configuration: Configuration, authority: CertificateAuthority, certificate: ServerCertificate,
        service: any LinkService, group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, logger: Logger
    ) async throws -> LinkServer {
        let sessions = AcceptedSessions(
            configuration: configuration, service: service,
            context: try TLS.server(certificate: certificate, authorityPEM: authority.certificatePEM),
            logger: logger)
        let channel = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.writeBufferWaterMark, value: .init(low: 65_536, high: 262_144))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try sessions.accept(channel) }
            }
            .bind(host: configuration.host, port: configuration.port).get()
        return LinkServer(channel: channel, sessions: sessions, logger: logger)
    }

    /// The port that is listened on.
    public var port: Int { channel.localAddress?.port ?? 0 }

    /// From the next connection on.
    public func use(_ certificate: ServerCertificate, authority: CertificateAuthority) throws {
        sessions.use(try TLS.server(certificate: certificate, authorityPEM: authority.certificatePEM))
    }

    /// Sessions and handshakes under way.
    public var connectionCount: Int { sessions.count }

    /// Accepts nobody any more, says farewell to all and waits for the service's calls to end, `grace` at most.
    public func stop(grace: Duration = .seconds(5)) async {
        do {
            try await channel.close()
        } catch {
            logger.debug("listener was closed already", metadata: ["error": "\(error)"])
        }
        await sessions.end(grace: grace)
    }
}

/// All connections that the listener has taken.
final class AcceptedSessions: Sendable {
    private struct State {
        var sessions: [ObjectIdentifier: AcceptedSession] = [:]
        var pending = 0
        var isEnding = false
    }

    let configuration: LinkServer.Configuration
    let service: any LinkService
    let logger: Logger
    private let context: NIOLockedValueBox<NIOSSLContext>
    private let state = NIOLockedValueBox(State())

    init(
        configuration: LinkServer.Configuration, service: any LinkService, context: NIOSSLContext, logger: Logger
    ) {
        self.configuration = configuration
        self.service = service
        self.context = NIOLockedValueBox(context)
        self.logger = logger
    }

    var count: Int { state.withLockedValue { $0.sessions.count } }

    func use(_ new: NIOSSLContext) { context.withLockedValue { $0 = new } }

    func accept(_ channel: any Channel) throws {
        let session = AcceptedSession(owner: self, eventLoop: channel.eventLoop)
        let isWelcome = state.withLockedValue { state in
            guard !state.isEnding, state.sessions.count < configuration.maximumConnections,
                state.pending < configuration.maximumPending
            else { return false }
            state.sessions[ObjectIdentifier(session)] = session
            state.pending += 1
            return true
        }
        guard isWelcome else {
            logger.warning("connection turned away: too many", metadata: ["peer": "\(Self.name(channel))"])
            throw LinkError(.tooManyAtOnce, "too many connections")
        }
        do {
            let tls = NIOSSLServerHandler(context: context.withLockedValue { $0 })
            let handler = LinkChannelHandler(
                side: .acceptor, limits: .init(), remoteAddress: Self.name(channel), eventLoop: channel.eventLoop,
                onEvent: session.handle)
            session.attach(NIOLoopBound(handler, eventLoop: channel.eventLoop))
            try channel.pipeline.syncOperations.addHandlers(tls, handler)
        } catch {
            remove(session, wasPending: true)
            throw error
        }
    }

    func opened() { state.withLockedValue { $0.pending -= 1 } }

    func remove(_ session: AcceptedSession, wasPending: Bool) {
        state.withLockedValue { state in
            guard state.sessions.removeValue(forKey: ObjectIdentifier(session)) != nil, wasPending else { return }
            state.pending -= 1
        }
    }

    func end(grace: Duration) async {
        let all = state.withLockedValue { state in
            state.isEnding = true
            return Array(state.sessions.values)
        }
        for session in all { session.leave(.shuttingDown) }
        let deadline = ContinuousClock.now + grace
        for session in all {
            guard let task = session.task else { continue }
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await task.value }
                group.addTask { try? await Task.sleep(until: deadline, clock: .continuous) }
                await group.next()
                // Whoever has not come to an end by itself is told to.
                task.cancel()
                group.cancelAll()
            }
        }
    }

    private static func name(_ channel: any Channel) -> String {
        guard let address = channel.remoteAddress, let host = address.ipAddress, let port = address.port
        else { return "unknown" }
        return LinkEndpoint(host: host, port: port).description
    }
}
