import AgentObject
import Logging
import NIOPosix
import ProtocolLink
import ProtocolModel
import ServiceLifecycle

/// The object store of this host: its HTTPS port, the certificate for it, and the store's housekeeping.
struct ObjectFace: Service {
    private static let housekeepingEvery = Duration.seconds(30)
    private static let renewalCheckEvery = Duration.seconds(3600)
    /// While the coordinator is away or refuses.
    private static let retryEvery = Duration.milliseconds(500)

    private let store: LocalObjectStore
    private let service: ObjectFaces
    private let listen: (host: String, port: Int)
    private let certificateFile: String
    private let line: CoordinatorLine
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    private let clock: any WallClock = SystemClock()
    private let logger: Logger

    /// - Returns: `nil` for a host without the role.
    init?(_ configuration: Configuration, folder: StateFolder, line: CoordinatorLine, logger: Logger) throws {
        guard configuration.roles.contains(.object) else { return nil }
        let path = configuration.object.folder ?? folder.root + "/objects"
        try StateFolder.makeFolder(path, mode: 0o700)
        store = try LocalObjectStore(folder: path, logger: logger)
        var settings = TokenGate.Settings()
        settings.keptSeconds = Int64(configuration.object.keepTokensMinutes) * 60
        let swift = SwiftService(
            store: store, gate: TokenGate(LinkTokenJudge(line: line), settings: settings, clock: clock), clock: clock,
            logger: logger)
        let keys = SigningKeyGate(LinkSigningKeyJudge(line: line), settings: settings, clock: clock)
        service = ObjectFaces(swift: swift, s3: S3Service(swift: swift, parts: store, gate: keys))
        listen = (configuration.object.listen.host, configuration.object.listen.port)
        certificateFile = folder.identity + "/object.pem"
        self.line = line
        self.logger = logger
    }

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { await keepHouse() }
                group.addTask { try await serve() }
                try await group.waitForAll()
            }
        }
    }

    func stop() async throws {
        try await group.shutdownGracefully()
        store.close()
    }

    private func serve() async throws {
        guard let (tls, certificate) = await certificate() else { return }
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await renew(tls, certificate) }
            tasks.addTask {
                let server = ObjectServer(
                    responder: service, settings: .init(host: listen.host, port: listen.port), tls: tls, group: group,
                    logger: logger)
                try await server.run { port in
                    logger.notice("objects are served", metadata: ["address": "\(listen.host):\(port)"])
                }
            }
            try await tasks.next()
            tasks.cancelAll()
        }
    }

    // MARK: The certificate

    /// The one that was issued before, or a fresh one as soon as the coordinator gives one.
    private func certificate() async -> (ServedTLS, ServerCertificate)? {
        if let held = try? ServerCertificate.load(path: certificateFile), held.notAfter > clock.now() / 1_000_000,
            let tls = try? ServedTLS(certificatePEM: held.certificatePEM, privateKeyPEM: held.privateKeyPEM)
        {
            return (tls, held)
        }
        var lastProblem: String?
        while !Task.isCancelled {
            do {
                let fresh = try await ask()
                return (
                    try ServedTLS(certificatePEM: fresh.certificatePEM, privateKeyPEM: fresh.privateKeyPEM), fresh
                )
            } catch {
                if "\(error)" != lastProblem {
                    logger.warning(
                        "no certificate for the object store yet, trying on", metadata: ["error": "\(error)"])
                }
                lastProblem = "\(error)"
            }
            try? await Task.sleep(for: Self.retryEvery)
        }
        return nil
    }

    private func ask() async throws -> ServerCertificate {
        let fresh = try await line.connection().serverCertificate(try CertificateRequest())
        try fresh.store(path: certificateFile)
        return fresh
    }

    /// Once after each start, since the cloud may call this host by other names now, and then when it is due.
    private func renew(_ tls: ServedTLS, _ held: ServerCertificate) async {
        var held = held
        var isFresh = false
        while !Task.isCancelled {
            if !isFresh || held.isRenewalDue(at: clock.now() / 1_000_000) {
                do {
                    held = try await ask()
                    try tls.use(certificatePEM: held.certificatePEM, privateKeyPEM: held.privateKeyPEM)
                    isFresh = true
                } catch {
                    logger.debug("the object store's certificate is not renewed", metadata: ["error": "\(error)"])
                }
            }
            try? await Task.sleep(for: isFresh ? Self.renewalCheckEvery : Self.retryEvery)
        }
    }

    private func keepHouse() async {
        let housekeeping = ObjectHousekeeping(store: store, clock: clock)
        while !Task.isCancelled {
            do { try await housekeeping.pass() } catch {
                logger.error("the object store's housekeeping failed", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: Self.housekeepingEvery)
        }
    }
}
