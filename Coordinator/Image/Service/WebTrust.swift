import NIOCore
import NIOSSL
import Synchronization

/// Which servers `web-download` believes: those whose certificate is for the name in the URL and comes from an authority
/// that the system trusts, or that the operator names.
package enum WebTrust {
    /// Blocks: reads files.
    /// - Parameter authorities: A PEM file.
    /// - Throws: ``FetchFailure`` where that cannot be read, without its path, which is the operator's.
    static func context(authorities: String?) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let authorities {
            do {
                configuration.additionalTrustRoots = [.certificates(try certificates(authorities))]
            } catch {
                throw FetchFailure(
                    description: """
                        The certificate authorities that this cloud trusts for web-download cannot be read: its operator \
                        has to look at 'images.web_download.ca_file'.
                        """)
            }
        }
        return try NIOSSLContext(configuration: configuration)
    }

    private static func certificates(_ path: String) throws -> [NIOSSLCertificate] {
        let found = try NIOSSLCertificate.fromPEMFile(path)
        guard !found.isEmpty else { throw NIOSSLError.failedToLoadCertificate }
        return found
    }

    /// Whether the file can be used; for the start of the coordinator. Blocks.
    package static func isUsable(authorities path: String) -> Bool {
        (try? certificates(path)) != nil
    }

    /// Why a server's certificate was not taken, if so.
    final class Doubt: Sendable {
        private let reason = Mutex<String?>(nil)

        fileprivate func note(_ error: any Error) {
            let text: String
            switch error {
            case is NIOSSLExtraError: text = "its certificate is for another name"
            case NIOSSLError.handshakeFailed(let cause) where "\(cause)".contains("CERTIFICATE_VERIFY_FAILED"):
                text = "its certificate is not from an authority that this cloud trusts, or its time is over"
            default: return
            }
            reason.withLock { $0 = $0 ?? text }
        }

        /// Trying again would not help.
        func refusal(of address: WebAddress) -> FetchFailure? {
            reason.withLock { $0 }.map {
                FetchFailure(description: "'\(address.host)' port \(address.port) is not believed: \($0).")
            }
        }
    }

    /// Hears what TLS says, behind its handler.
    final class Listener: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let doubt: Doubt

        init(_ doubt: Doubt) { self.doubt = doubt }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            doubt.note(error)
            context.fireErrorCaught(error)
        }
    }
}
