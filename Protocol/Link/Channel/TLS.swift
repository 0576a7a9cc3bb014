import NIOSSL

/// The TLS settings of both sides: version 1.3 only, our own authority only.
enum TLS {
    /// - Parameter identity: `nil` for a host that joins.
    static func client(identity: NodeIdentity?) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv13
        // Verification is CoordinatorPin's; the empty list keeps the system's roots from being loaded at all.
        configuration.trustRoots = .certificates([])
        configuration.certificateVerification = .noHostnameVerification
        if let identity {
            configuration.certificateChain = try certificates(identity.certificatePEM)
            configuration.privateKey = .privateKey(try key(identity.privateKeyPEM))
        }
        return try NIOSSLContext(configuration: configuration)
    }

    /// The server shows its authority too, so that a joining host can compare it with its token.
    static func server(certificate: ServerCertificate, authorityPEM: String) throws -> NIOSSLContext {
        let authority = try NIOSSLCertificate.fromPEMBytes(Array(authorityPEM.utf8))
        var configuration = TLSConfiguration.makeServerConfigurationWithMTLS(
            certificateChain: try certificates(certificate.certificatePEM) + authority.map { .certificate($0) },
            privateKey: .privateKey(try key(certificate.privateKeyPEM)), trustRoots: .certificates(authority))
        configuration.minimumTLSVersion = .tlsv13
        configuration.certificateVerification = .optionalVerification
        return try NIOSSLContext(configuration: configuration)
    }

    private static func certificates(_ pem: String) throws -> [NIOSSLCertificateSource] {
        try NIOSSLCertificate.fromPEMBytes(Array(pem.utf8)).map { .certificate($0) }
    }

    private static func key(_ pem: String) throws -> NIOSSLPrivateKey {
        try NIOSSLPrivateKey(bytes: Array(pem.utf8), format: .pem)
    }
}
