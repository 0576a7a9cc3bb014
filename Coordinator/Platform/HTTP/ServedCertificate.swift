import HummingbirdCore
import Logging
import NIOCore
import NIOSSL
import Synchronization

/// The certificate and key that the API shows; another one may take their place while it is served.
public final class ServedCertificate: Sendable {
    private let context: Mutex<NIOSSLContext>

    /// - Throws: ``HTTPServer/Failure/badCertificate(reason:)``.
    public init(certificatePEM: String, privateKeyPEM: String) throws {
        context = Mutex(try Self.context(certificatePEM, privateKeyPEM))
    }

    /// From the next connection on.
    public func use(certificatePEM: String, privateKeyPEM: String) throws {
        let fresh = try Self.context(certificatePEM, privateKeyPEM)
        context.withLock { $0 = fresh }
    }

    /// For a connection that was just accepted.
    package func handler() -> NIOSSLServerHandler { NIOSSLServerHandler(context: context.withLock { $0 }) }

    private static func context(_ certificatePEM: String, _ privateKeyPEM: String) throws -> NIOSSLContext {
        do {
            let chain = try NIOSSLCertificate.fromPEMBytes(Array(certificatePEM.utf8))
            let key = try NIOSSLPrivateKey(bytes: Array(privateKeyPEM.utf8), format: .pem)
            var settings = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
            settings.minimumTLSVersion = .tlsv12
            settings.applicationProtocols = ["http/1.1"]
            // Also a connection that is gone keeps its buffers for as long as a farewell would be waited for.
            settings.shutdownTimeout = .seconds(1)
            return try NIOSSLContext(configuration: settings)
        } catch { throw HTTPServer.Failure.badCertificate(reason: "\(error)") }
    }
}

/// Puts TLS in front of a connection, with the certificate as it is by then. (The library's own keeps to the first one.)
struct TLSConnectionSetup<Base: ServerChildChannel>: ServerChildChannel {
    let base: Base
    let certificate: ServedCertificate

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(certificate.handler())
        }.flatMap { base.setup(channel: channel, logger: logger) }
    }

    func handle(value: Base.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}
