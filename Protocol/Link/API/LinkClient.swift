import Crypto
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL
import ProtocolModel
import ProtocolWire

/// The dialling side.
public enum LinkClient {
    /// Makes this host a node of the coordinator's cloud.
    /// - Parameter hostname: What the host calls itself.
    /// - Throws: ``LinkRefusal`` with the coordinator's reason, or ``LinkError``.
    public static func join(
        _ endpoint: LinkEndpoint, token: JoinToken, hostname: String, request: CertificateRequest,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> NodeIdentity {
        let message = JoinRequestMessage(
            secret: token.secret, certificateRequestDER: request.der, hostname: hostname)
        let dialler = Dialler(
            endpoint: endpoint, context: try TLS.client(identity: nil), pin: .hash(token.authorityHash), group: group)
        guard case .granted(let grant) = try await dialler.dial(.join(message)) else {
            throw LinkError(.protocolViolation, "the coordinator answered a join request with something else")
        }
        let identity = try NodeIdentity(
            certificatePEM: grant.certificatePEM, privateKeyPEM: request.privateKeyPEM,
            authorityPEM: grant.authorityPEM)
        try identity.checkAuthority(hash: token.authorityHash)
        return identity
    }

    /// Opens a session.
    /// - Throws: ``LinkRefusal`` with the coordinator's reason, or ``LinkError``.
    public static func connect(
        _ endpoint: LinkEndpoint, identity: NodeIdentity, hello: AgentHello,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> LinkConnection {
        let dialler = Dialler(
            endpoint: endpoint, context: try TLS.client(identity: identity),
            pin: .authority(pem: identity.authorityPEM), group: group)
        guard case .opened(let connection) = try await dialler.dial(.hello(hello.wire)) else {
            throw LinkError(.protocolViolation, "the coordinator answered a hello with something else")
        }
        return connection
    }
}

/// One attempt to connect.
private struct Dialler: Sendable {
    enum Outcome: Sendable {
        case opened(LinkConnection)
        case granted(GrantMessage)
    }

    let endpoint: LinkEndpoint
    let context: NIOSSLContext
    let pin: CoordinatorPin
    let group: any EventLoopGroup

    func dial(_ opening: LinkSession.Opening) async throws -> Outcome {
        let eventLoop = group.next()
        let outcome = eventLoop.makePromise(of: Outcome.self)
        let distrust = Distrust()
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(.seconds(10))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.writeBufferWaterMark, value: .init(low: 65_536, high: 262_144))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try self.prepare(channel, opening, outcome, distrust)
                }
            }
        bootstrap.connect(host: endpoint.host, port: endpoint.port).whenComplete { result in
            switch result {
            case .success(let channel):
                // Also when the caller has lost patience in the meantime.
                outcome.futureResult.whenFailure { _ in channel.close(promise: nil) }
            case .failure(let error): outcome.fail(LinkError(.unreachable, "\(self.endpoint): \(error)"))
            }
        }
        return try await withTaskCancellationHandler {
            try await outcome.futureResult.get()
        } onCancel: {
            outcome.fail(CancellationError())
        }
    }

    private func prepare(
        _ channel: any Channel, _ opening: LinkSession.Opening, _ outcome: EventLoopPromise<Outcome>,
        _ distrust: Distrust
    ) throws {
        let pin = pin
        let tls = try NIOSSLClientHandler(
            context: context, serverHostname: nil,
            customVerificationCallback: { chain, verdict in
                do {
                    try pin.check(chain.map { try $0.toDERBytes() }, now: SystemClock.microseconds() / 1_000_000)
                    verdict.succeed(.certificateVerified)
                } catch {
                    distrust.record(error)
                    verdict.succeed(.failed)
                }
            })
        let endpoint = endpoint
        let handler = LinkChannelHandler(
            side: .dialler(opening), limits: .init(), remoteAddress: endpoint.description,
            eventLoop: channel.eventLoop
        ) { event in
            switch event {
            case .opened(let connection): outcome.succeed(.opened(connection))
            case .granted(let grant):
                outcome.succeed(.granted(grant))
                channel.close(promise: nil)
            case .refused(let refusal): outcome.fail(LinkRefusal(refusal))
            // The attempt to connect reports this itself, and knows why.
            case .closed(_, let error) where error?.code == .unreachable: break
            case .closed(let closure, let error):
                outcome.fail(distrust.error ?? Self.explain(closure, error, endpoint))
            case .decideHello, .decideJoin, .decideRenewal, .streamOpened, .streamAbandoned: break
            }
        }
        try channel.pipeline.syncOperations.addHandlers(tls, handler)
    }

    private static func explain(_ closure: LinkClosure, _ error: LinkError?, _ endpoint: LinkEndpoint) -> LinkError {
        guard let error else { return LinkError(.closed, "\(endpoint): \(closure.detail)") }
        guard error.code == .untrusted else { return LinkError(error.code, "\(endpoint): \(error.detail)") }
        return LinkError(
            .untrusted,
            "\(endpoint) did not accept this node's certificate, or no Skerry listens there: \(error.detail)")
    }
}

/// Why our own check turned the server's certificate down; TLS only reports that it did.
private final class Distrust: Sendable {
    private let box = NIOLockedValueBox<LinkError?>(nil)

    func record(_ error: any Error) {
        let reason = (error as? LinkError) ?? LinkError(.untrusted, "\(error)")
        box.withLockedValue { $0 = reason }
    }

    var error: LinkError? { box.withLockedValue { $0 } }
}

extension NodeIdentity {
    /// The authority that came with a join must be the one whose hash the token carries.
    fileprivate func checkAuthority(hash: [UInt8]) throws {
        let chain = try NIOSSLCertificate.fromPEMBytes(Array(authorityPEM.utf8)).map { try $0.toDERBytes() }
        guard chain.count == 1, let bytes = chain.first, Array(SHA256.hash(data: bytes)) == hash else {
            throw LinkError(.untrusted, "the coordinator sent another authority than the token names")
        }
    }
}
