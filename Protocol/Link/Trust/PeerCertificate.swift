import Crypto
import FoundationEssentials
import NIOCore
import NIOSSL
import ProtocolModel
import X509

/// What a connected peer proved to be.
enum PeerCertificate: Equatable {
    case none
    case node(NodeID, serial: String)
    /// Signed by our authority (TLS has checked that), and yet no node's.
    case unusable

    static func read(_ pipeline: ChannelPipeline) -> Self {
        guard let handler = try? pipeline.syncOperations.handler(type: NIOSSLServerHandler.self),
            let presented = handler.peerCertificate
        else { return .none }
        guard let certificate = try? Certificate(derEncoded: presented.toDERBytes()),
            let node = CertificateNames.node(in: certificate)
        else { return .unusable }
        return .node(node, serial: certificate.serialNumber.text)
    }
}

/// What a dialling side expects of the coordinator's certificate. Host names play no part: the authority is ours alone,
/// so only the coordinator can have a certificate that names it, whatever address it is reached at.
enum CoordinatorPin: Sendable {
    case authority(pem: String)
    /// SHA-256 of the authority's certificate: the join token's.
    case hash([UInt8])

    /// - Parameter chain: What the server showed, DER, leaf first.
    /// - Parameter now: Seconds since 1970.
    /// - Throws: ``LinkError`` with `untrusted` and the reason.
    func check(_ chain: [[UInt8]], now: Int64) throws(LinkError) {
        guard let leafBytes = chain.first else { throw LinkError(.untrusted, "the server showed no certificate") }
        let authority = try self.authority(in: chain)
        guard let leaf = try? Certificate(derEncoded: leafBytes) else {
            throw LinkError(.untrusted, "the server's certificate is malformed")
        }
        guard leaf.issuer == authority.subject, authority.publicKey.isValidSignature(leaf.signature, for: leaf)
        else { throw LinkError(.untrusted, "the server's certificate is not from the pinned authority") }
        try Self.checkPurpose(leaf: leaf, authority: authority)
        for (certificate, name) in [(leaf, "server's"), (authority, "authority's")] {
            guard (certificate.notBeforeSeconds...certificate.notAfterSeconds).contains(now) else {
                throw LinkError(
                    .untrusted,
                    "the \(name) certificate is valid from \(certificate.notBeforeSeconds) to "
                        + "\(certificate.notAfterSeconds) and this host's clock says \(now): check both clocks")
            }
        }
    }

    private func authority(in chain: [[UInt8]]) throws(LinkError) -> Certificate {
        switch self {
        case .authority(let pem):
            guard let certificate = try? Certificate(pemEncoded: pem) else {
                throw LinkError(.badCredential, "the pinned authority is malformed")
            }
            return certificate
        case .hash(let hash):
            guard let bytes = chain.dropFirst().first(where: { Array(SHA256.hash(data: $0)) == hash }),
                let certificate = try? Certificate(derEncoded: bytes)
            else {
                throw LinkError(
                    .untrusted, "the server is not of the cloud that the token is from: check address and token")
            }
            return certificate
        }
    }

    /// Nodes have certificates of the same authority; none of them may pass for the coordinator.
    private static func checkPurpose(leaf: Certificate, authority: Certificate) throws(LinkError) {
        guard case .isCertificateAuthority? = try? authority.extensions.basicConstraints else {
            throw LinkError(.untrusted, "what is pinned is no authority")
        }
        guard let usage = try? leaf.extensions.extendedKeyUsage, usage.contains(.serverAuth),
            CertificateNames.uris(in: leaf).contains(CertificateNames.coordinator)
        else { throw LinkError(.untrusted, "the certificate shown is not a coordinator's") }
    }
}
