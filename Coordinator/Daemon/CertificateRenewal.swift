import CoordinatorPlatform
import Logging
import ProtocolLink
import ProtocolModel
import Synchronization

/// Renews the coordinator's certificate while it runs, on disk first, and has both ports show the fresh one from the next
/// connection on. Sessions and requests under way go on as they are.
package final class CertificateRenewal: Sendable {
    private let trust: Mutex<Trust>
    private let files: StateFiles
    private let configuration: Configuration
    private let clock: any WallClock
    private let api: ServedCertificate?
    /// For the port that agents dial.
    package let renewals: AsyncStream<ServerCertificate>
    private let renewed: AsyncStream<ServerCertificate>.Continuation
    private let logger: Logger

    /// - Parameter api: `nil` when the APIs are served without TLS.
    package init(
        _ trust: Trust, files: StateFiles, configuration: Configuration, clock: any WallClock,
        api: ServedCertificate?, logger: Logger
    ) {
        self.trust = Mutex(trust)
        self.files = files
        self.configuration = configuration
        self.clock = clock
        self.api = api
        self.logger = logger
        (renewals, renewed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Renews when it is due.
    package func pass() throws {
        let held = trust.withLock { $0 }
        guard let fresh = try held.renewed(files, configuration: configuration, at: clock.now() / 1_000_000) else {
            return
        }
        try api?.use(
            certificatePEM: fresh.certificate.certificatePEM, privateKeyPEM: fresh.certificate.privateKeyPEM)
        renewed.yield(fresh.certificate)
        trust.withLock { $0 = fresh }
        logger.notice("the coordinator's certificate was renewed")
    }
}
