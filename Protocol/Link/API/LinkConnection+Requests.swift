import ProtocolModel
import ProtocolWire

/// What an agent asks the coordinator for and gets whole.
extension LinkConnection {
    private static let answerLimit = 64 << 10

    /// Agent: whom a token speaks for.
    /// - Throws: ``LinkRefusal`` with `notFound` for a token that is none, or none any more; ``LinkError`` when the
    ///   coordinator cannot be asked now.
    public func verdict(on token: String) async throws -> TokenVerdict {
        try TokenVerdict(wireBytes: try await answer(to: .token(token)))
    }

    /// Agent: what an access key signs with.
    /// - Throws: As ``verdict(on:)``.
    public func signingKey(_ request: SigningKeyRequest) async throws -> SigningKey {
        try SigningKey(wireBytes: try await answer(to: .signing(request)))
    }

    /// Agent: a certificate for what this node serves, for the names that the coordinator gives it.
    /// - Parameter request: A request with a fresh key.
    /// - Throws: ``LinkRefusal`` or ``LinkError``.
    public func serverCertificate(_ request: CertificateRequest) async throws -> ServerCertificate {
        let text = String(decoding: try await answer(to: .serverCertificate(request.der)), as: UTF8.self)
        return try ServerCertificate(certificatePEM: text, privateKeyPEM: request.privateKeyPEM)
    }

    private func answer(to source: StreamOpening.Source) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        for try await chunk in try await stream(source) {
            bytes += chunk
            guard bytes.count <= Self.answerLimit else {
                throw LinkError(.protocolViolation, "the coordinator answered with more than \(Self.answerLimit) bytes")
            }
        }
        return bytes
    }
}
