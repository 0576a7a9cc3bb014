import Crypto
import ProtocolModel
import X509

/// A fresh key and the request for its certificate.
public struct CertificateRequest: Sendable {
    public let privateKeyPEM: String
    /// PKCS #10 in DER form.
    public let der: [UInt8]

    public init() throws {
        let key = P256.Signing.PrivateKey()
        let request = try CertificateSigningRequest(
            version: .v1, subject: DistinguishedName { CommonName("skerry-agent") }, privateKey: .init(key),
            attributes: .init(), signatureAlgorithm: .ecdsaWithSHA256)
        privateKeyPEM = key.pemRepresentation
        der = try request.serializeAsPEM().derBytes
    }
}

/// What the coordinator gives a node that joins or renews.
public struct NodeIdentityGrant: Hashable, Sendable {
    public var node: NodeID
    public var certificatePEM: String
    public var authorityPEM: String
    /// The certificate's serial number, as ``LinkPeer`` and revocation name it.
    public var serial: String
    /// Seconds since 1970.
    public var notAfter: Int64

    public init(node: NodeID, certificatePEM: String, authorityPEM: String, serial: String, notAfter: Int64) {
        self.node = node
        self.certificatePEM = certificatePEM
        self.authorityPEM = authorityPEM
        self.serial = serial
        self.notAfter = notAfter
    }
}

/// What an agent is known by: certificate, key and authority, in one file so that they change together.
public struct NodeIdentity: Hashable, Sendable {
    /// Mode 0600, below the agent's state folder.
    public static let file = "node.pem"

    public let node: NodeID
    public let certificatePEM: String
    public let privateKeyPEM: String
    public let authorityPEM: String
    public let serial: String
    /// Seconds since 1970.
    public let notBefore: Int64
    public let notAfter: Int64

    /// - Throws: ``LinkError`` with `badCredential` when the parts do not belong together.
    public init(certificatePEM: String, privateKeyPEM: String, authorityPEM: String) throws {
        let certificate: Certificate
        let authority: Certificate
        let key: P256.Signing.PrivateKey
        do {
            certificate = try Certificate(pemEncoded: certificatePEM)
            authority = try Certificate(pemEncoded: authorityPEM)
            key = try P256.Signing.PrivateKey(pemRepresentation: privateKeyPEM)
        } catch {
            throw LinkError(.badCredential, "the node's certificate or key is malformed: \(error)")
        }
        guard let node = CertificateNames.node(in: certificate) else {
            throw LinkError(.badCredential, "the certificate names no node")
        }
        guard certificate.publicKey == .init(key.publicKey) else {
            throw LinkError(.badCredential, "the node's key does not belong to its certificate")
        }
        guard authority.publicKey.isValidSignature(certificate.signature, for: certificate) else {
            throw LinkError(.badCredential, "the node's certificate is not from the authority beside it")
        }
        self.node = node
        self.certificatePEM = PEMBlocks.withLineEnd(certificatePEM)
        self.privateKeyPEM = PEMBlocks.withLineEnd(privateKeyPEM)
        self.authorityPEM = PEMBlocks.withLineEnd(authorityPEM)
        serial = certificate.serialNumber.text
        notBefore = certificate.notBeforeSeconds
        notAfter = certificate.notAfterSeconds
    }

    /// Whether two thirds of the certificate's life are over.
    /// - Parameter now: Seconds since 1970.
    public func isRenewalDue(at now: Int64) -> Bool {
        CertificateLife(notBefore: notBefore, notAfter: notAfter).isRenewalDue(at: now)
    }

    /// - Returns: `nil` when the folder holds no identity: the host never joined.
    public static func load(directory: String) throws -> NodeIdentity? {
        guard let bytes = try PrivateFile.read("\(directory)/\(file)") else { return nil }
        let parts = PEMBlocks.split(String(decoding: bytes, as: UTF8.self))
        guard parts.count == 3 else {
            throw LinkError(.badCredential, "\(directory)/\(file) does not hold a certificate, a key and an authority")
        }
        return try NodeIdentity(certificatePEM: parts[0], privateKeyPEM: parts[1], authorityPEM: parts[2])
    }

    /// Writes `node.pem` below `directory`, which is made when missing: a crash leaves the old identity or the new.
    public func store(directory: String) throws {
        try PrivateFile.makeDirectory(directory)
        try PrivateFile.write(
            certificatePEM + privateKeyPEM + authorityPEM, to: "\(directory)/\(Self.file)", mode: 0o600)
    }
}

/// Several PEM documents in one text.
enum PEMBlocks {
    static func withLineEnd(_ text: String) -> String { text.hasSuffix("\n") ? text : text + "\n" }

    static func split(_ text: String) -> [String] {
        var blocks: [String] = []
        var lines: [Substring] = []
        for line in text.split(whereSeparator: \.isNewline) {
            if line.hasPrefix("-----BEGIN ") { lines = [] }
            lines.append(line)
            guard line.hasPrefix("-----END ") else { continue }
            blocks.append(lines.joined(separator: "\n") + "\n")
            lines = []
        }
        return blocks
    }
}

/// When a certificate began and ends, in seconds since 1970.
struct CertificateLife {
    let notBefore: Int64
    let notAfter: Int64

    func isRenewalDue(at now: Int64) -> Bool { now - notBefore >= (notAfter - notBefore) / 3 * 2 }
}

/// The certificate and key of a listener.
public struct ServerCertificate: Hashable, Sendable {
    public let certificatePEM: String
    public let privateKeyPEM: String
    /// Seconds since 1970.
    public let notBefore: Int64
    public let notAfter: Int64

    /// - Throws: ``LinkError`` with `badCredential` when the two do not parse or do not belong together.
    public init(certificatePEM: String, privateKeyPEM: String) throws {
        do {
            let certificate = try Certificate(pemEncoded: certificatePEM)
            let key = try P256.Signing.PrivateKey(pemRepresentation: privateKeyPEM)
            guard certificate.publicKey == .init(key.publicKey) else {
                throw LinkError(.badCredential, "the server's key does not belong to its certificate")
            }
            notBefore = certificate.notBeforeSeconds
            notAfter = certificate.notAfterSeconds
        } catch let error as LinkError {
            throw error
        } catch {
            throw LinkError(.badCredential, "the server's certificate or key is malformed: \(error)")
        }
        self.certificatePEM = PEMBlocks.withLineEnd(certificatePEM)
        self.privateKeyPEM = PEMBlocks.withLineEnd(privateKeyPEM)
    }

    /// - Returns: `nil` when there is no such file.
    public static func load(path: String) throws -> Self? {
        guard let bytes = try PrivateFile.read(path) else { return nil }
        let parts = PEMBlocks.split(String(decoding: bytes, as: UTF8.self))
        guard parts.count == 2 else {
            throw LinkError(.badCredential, "\(path) does not hold a certificate and a key")
        }
        return try Self(certificatePEM: parts[0], privateKeyPEM: parts[1])
    }

    /// Reads the two files that releases before kept it in.
    public static func load(certificatePath: String, keyPath: String) throws -> Self {
        try Self(
            certificatePEM: PrivateFile.readText(certificatePath), privateKeyPEM: PrivateFile.readText(keyPath))
    }

    /// One file with mode 0600: a crash leaves the old pair or the new, and never the key of one and the certificate of
    /// the other.
    public func store(path: String) throws {
        try PrivateFile.write(
            certificatePEM + privateKeyPEM, to: path, mode: 0o600)
    }

    /// Whether two thirds of the certificate's life are over.
    public func isRenewalDue(at now: Int64) -> Bool {
        CertificateLife(notBefore: notBefore, notAfter: notAfter).isRenewalDue(at: now)
    }
}
