import Crypto
import FoundationEssentials
import ProtocolModel
import X509

/// The coordinator's own certificate authority: ECDSA with P-256 throughout. Times are seconds since 1970.
public struct CertificateAuthority: Sendable {
    static let certificateFile = "ca.crt"
    static let keyFile = "ca.key"

    let certificate: Certificate
    let key: P256.Signing.PrivateKey
    public let certificatePEM: String
    /// SHA-256 of the certificate in DER form, 32 octets: join tokens carry it.
    public let hash: [UInt8]

    /// A new authority, valid for ten years from now.
    public static func create(at now: Int64, commonName: String = "Skerry CA") throws -> Self {
        let key = P256.Signing.PrivateKey()
        let name = try DistinguishedName { CommonName(commonName) }
        let certificate = try Certificate(
            version: .v3, serialNumber: .positive(), publicKey: .init(key.publicKey),
            notValidBefore: .beforeSkew(now), notValidAfter: .after(now, days: 3652), issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: .init(key.publicKey))
            },
            issuerPrivateKey: .init(key))
        return try Self(certificate: certificate, key: key)
    }

    /// - Throws: When the two do not parse or do not belong together.
    public init(certificatePEM: String, privateKeyPEM: String) throws {
        let certificate = try Certificate(pemEncoded: certificatePEM)
        let key = try P256.Signing.PrivateKey(pemRepresentation: privateKeyPEM)
        guard certificate.publicKey == .init(key.publicKey) else {
            throw LinkError(.badCredential, "the authority's key does not belong to its certificate")
        }
        try self.init(certificate: certificate, key: key)
    }

    private init(certificate: Certificate, key: P256.Signing.PrivateKey) throws {
        self.certificate = certificate
        self.key = key
        let document = try certificate.serializeAsPEM()
        certificatePEM = document.pemString
        hash = Array(SHA256.hash(data: document.derBytes))
    }

    public var privateKeyPEM: String { key.pemRepresentation }

    /// Reads `ca.crt` and `ca.key` from `directory`.
    public static func load(directory: String) throws -> Self {
        try Self(
            certificatePEM: PrivateFile.readText("\(directory)/\(certificateFile)"),
            privateKeyPEM: PrivateFile.readText("\(directory)/\(keyFile)"))
    }

    /// Whether `directory` holds an authority: the certificate is written last, and before it is there nobody knows it.
    public static func exists(directory: String) -> Bool {
        (try? PrivateFile.readText("\(directory)/\(certificateFile)")) != nil
    }

    /// Writes `ca.crt` (mode 0644) and `ca.key` (mode 0600) below `directory`, which is made when missing.
    public func store(directory: String) throws {
        try PrivateFile.makeDirectory(directory)
        try PrivateFile.write(privateKeyPEM, to: "\(directory)/\(Self.keyFile)", mode: 0o600)
        try PrivateFile.write(certificatePEM, to: "\(directory)/\(Self.certificateFile)", mode: 0o644)
    }

    /// A certificate for the coordinator's listeners, for agents and API clients alike.
    /// - Parameter names: DNS names and IP literals, at least one.
    public func issueServerCertificate(names: [String], at now: Int64, days: Int = 397) throws -> ServerCertificate {
        guard let first = names.first else {
            throw LinkError(.badCredential, "a server certificate needs at least one name")
        }
        let key = P256.Signing.PrivateKey()
        // A common name has at most 64 characters (RFC 5280 appendix A.1); what counts are the alternative names.
        let certificate = try issue(
            publicKey: .init(key.publicKey), commonName: String(first.prefix(64)),
            usage: ExtendedKeyUsage([.serverAuth]),
            names: SubjectAlternativeNames(
                names.map(Self.generalName) + [.uniformResourceIdentifier(CertificateNames.coordinator)]),
            at: now, days: days)
        return try ServerCertificate(
            certificatePEM: certificate.serializeAsPEM().pemString, privateKeyPEM: key.pemRepresentation)
    }

    /// A client certificate for one node.
    /// - Parameter request: A PKCS #10 request in DER form. Only its key is used: what it asks to be called is not
    ///   for it to say.
    /// - Throws: ``LinkError`` with `badCredential` for a request that does not parse or is not signed by its key.
    public func issueNodeCertificate(
        request: [UInt8], node: NodeID, at now: Int64, days: Int = 30
    ) throws -> NodeIdentityGrant {
        let key = try Self.key(of: request)
        let certificate = try issue(
            publicKey: key, commonName: node.text, usage: ExtendedKeyUsage([.clientAuth]),
            names: SubjectAlternativeNames([.uniformResourceIdentifier(CertificateNames.node(node))]), at: now,
            days: days)
        return NodeIdentityGrant(
            node: node, certificatePEM: try certificate.serializeAsPEM().pemString, authorityPEM: certificatePEM,
            serial: certificate.serialNumber.text, notAfter: certificate.notAfterSeconds)
    }

    /// A certificate for what a node serves to clients of the cloud. It does not speak for the coordinator: agents take
    /// it for no coordinator's.
    /// - Parameters:
    ///   - request: As of ``issueNodeCertificate(request:node:at:days:)``.
    ///   - names: DNS names and IP literals, at least one.
    /// - Returns: The certificate in PEM form.
    public func issueNodeServerCertificate(
        request: [UInt8], names: [String], at now: Int64, days: Int = 30
    ) throws -> String {
        guard let first = names.first else {
            throw LinkError(.badCredential, "a server certificate needs at least one name")
        }
        return try issue(
            publicKey: Self.key(of: request), commonName: String(first.prefix(64)),
            usage: ExtendedKeyUsage([.serverAuth]), names: SubjectAlternativeNames(names.map(Self.generalName)),
            at: now, days: days
        ).serializeAsPEM().pemString
    }

    /// The key that a request is signed with.
    private static func key(of request: [UInt8]) throws -> Certificate.PublicKey {
        let parsed: CertificateSigningRequest
        do {
            parsed = try CertificateSigningRequest(derEncoded: request)
        } catch {
            throw LinkError(.badCredential, "the certificate request is malformed: \(error)")
        }
        guard parsed.publicKey.isValidSignature(parsed.signature, for: parsed) else {
            throw LinkError(.badCredential, "the certificate request is not signed by its own key")
        }
        return parsed.publicKey
    }

    private func issue(
        publicKey: Certificate.PublicKey, commonName: String, usage: ExtendedKeyUsage, names: SubjectAlternativeNames,
        at now: Int64, days: Int
    ) throws -> Certificate {
        try Certificate(
            version: .v3, serialNumber: .positive(), publicKey: publicKey, notValidBefore: .beforeSkew(now),
            notValidAfter: min(.after(now, days: days), certificate.notValidAfter), issuer: certificate.subject,
            subject: try DistinguishedName {
                CommonName(commonName)
            },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                usage
                names
                SubjectKeyIdentifier(hash: publicKey)
                AuthorityKeyIdentifier(
                    keyIdentifier: SubjectKeyIdentifier(hash: .init(key.publicKey)).keyIdentifier)
            },
            issuerPrivateKey: .init(key))
    }

    private static func generalName(_ name: String) -> GeneralName {
        if let address = IPAddress(name) { return .ipAddress(.init(contentBytes: address.octets[...])) }
        return .dnsName(name)
    }
}

/// What names stand in our certificates beside those for other programs.
enum CertificateNames {
    static let coordinator = "skerry:coordinator"
    private static let nodePrefix = "skerry:node:"

    static func node(_ id: NodeID) -> String { nodePrefix + id.text }

    /// The node a certificate speaks for; `nil` when it has no such name or more than one.
    static func node(in certificate: Certificate) -> NodeID? {
        let uris = self.uris(in: certificate)
        guard uris.count == 1, let uri = uris.first, uri.hasPrefix(nodePrefix) else { return nil }
        return NodeID(uri.dropFirst(nodePrefix.count))
    }

    static func uris(in certificate: Certificate) -> [String] {
        guard let names = try? certificate.extensions.subjectAlternativeNames else { return [] }
        return names.compactMap { name in
            if case .uniformResourceIdentifier(let uri) = name { return uri }
            return nil
        }
    }
}

extension Certificate.SerialNumber {
    /// Random, 16 octets, positive (RFC 5280 section 4.1.2.2 wants both).
    static func positive() -> Self {
        var generator = SystemRandomNumberGenerator()
        let number = UInt128.random(in: (1 << 126)...(1 << 127 - 1), using: &generator)
        return Self(number)
    }

    /// Lower-case hexadecimal digits without leading zeros.
    var text: String {
        let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return String(digits.drop { $0 == "0" })
    }
}

extension Certificate {
    var notBeforeSeconds: Int64 { Int64(notValidBefore.timeIntervalSince1970) }
    var notAfterSeconds: Int64 { Int64(notValidAfter.timeIntervalSince1970) }
}

extension Date {
    /// Five minutes early, since the other side's clock may be behind.
    fileprivate static func beforeSkew(_ now: Int64) -> Self { Self(timeIntervalSince1970: Double(now - 300)) }

    fileprivate static func after(_ now: Int64, days: Int) -> Self {
        Self(timeIntervalSince1970: Double(now) + Double(days) * 86_400)
    }
}
