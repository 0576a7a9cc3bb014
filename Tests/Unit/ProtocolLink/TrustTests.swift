import Crypto
import Glibc
import NIOSSL
import ProtocolLink
import ProtocolModel
import Testing
import TestsSupportRandomness
import X509

@Suite("certificates, identities and tokens")
struct TrustTests {
    static func scratch() throws -> String {
        var template = Array("/tmp/skerry-trust-XXXXXX".utf8CString)
        return try #require(
            template.withUnsafeMutableBufferPointer { buffer in
                buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
            })
    }

    static func mode(_ path: String) -> mode_t {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }

    @Test("an authority comes back from its files, the key readable by its owner alone")
    func authorityFiles() throws {
        let folder = try Self.scratch() + "/ca"
        let authority = try CertificateAuthority.create(at: someTime)
        try authority.store(directory: folder)
        #expect(Self.mode(folder + "/ca.key") == 0o600)
        #expect(Self.mode(folder + "/ca.crt") == 0o644)
        let loaded = try CertificateAuthority.load(directory: folder)
        #expect(loaded.hash == authority.hash)
        #expect(loaded.certificatePEM == authority.certificatePEM)
        #expect(loaded.hash.count == 32)
        let other = try CertificateAuthority.create(at: someTime)
        #expect(other.hash != authority.hash)
        #expect(throws: LinkError.self) {
            try CertificateAuthority(certificatePEM: authority.certificatePEM, privateKeyPEM: other.privateKeyPEM)
        }
    }

    @Test("a node's certificate names the node, lasts thirty days and is renewed after twenty")
    func nodeCertificate() throws {
        let authority = try CertificateAuthority.create(at: someTime)
        let node = NodeID.fresh()
        let identity = try identity(authority, node: node, at: someTime)
        #expect(identity.node == node)
        #expect(identity.notBefore == someTime - 300)
        #expect(identity.notAfter == someTime + 30 * 86_400)
        #expect(!identity.isRenewalDue(at: someTime + 19 * 86_400))
        #expect(identity.isRenewalDue(at: someTime + 20 * 86_400))
        let certificate = try Certificate(pemEncoded: identity.certificatePEM)
        #expect("\(certificate.subject)".contains(node.text))
        #expect(try certificate.extensions.extendedKeyUsage?.contains(.clientAuth) == true)
        #expect(try certificate.extensions.extendedKeyUsage?.contains(.serverAuth) == false)
        let another = try ProtocolLinkTests.identity(authority, node: node, at: someTime)
        #expect(another.serial != identity.serial)
    }

    @Test("an identity comes back from its file, which only its owner reads; none there means never joined")
    func identityFile() throws {
        let folder = try Self.scratch()
        #expect(try NodeIdentity.load(directory: folder) == nil)
        let authority = try CertificateAuthority.create(at: someTime)
        let identity = try identity(authority, at: someTime)
        try identity.store(directory: folder)
        #expect(try NodeIdentity.load(directory: folder) == identity)
        #expect(Self.mode(folder + "/" + NodeIdentity.file) == 0o600)
        let next = try ProtocolLinkTests.identity(authority, node: identity.node, at: someTime)
        try next.store(directory: folder)
        #expect(try NodeIdentity.load(directory: folder) == next)
    }

    @Test("parts of different identities do not make one")
    func mixedParts() throws {
        let authority = try CertificateAuthority.create(at: someTime)
        let stranger = try CertificateAuthority.create(at: someTime)
        let first = try identity(authority, at: someTime)
        let second = try identity(authority, at: someTime)
        for (certificate, key, root) in [
            (first.certificatePEM, second.privateKeyPEM, authority.certificatePEM),
            (first.certificatePEM, first.privateKeyPEM, stranger.certificatePEM),
            (authority.certificatePEM, first.privateKeyPEM, authority.certificatePEM),
            ("", first.privateKeyPEM, authority.certificatePEM)
        ] {
            #expect(throws: LinkError.self) {
                try NodeIdentity(certificatePEM: certificate, privateKeyPEM: key, authorityPEM: root)
            }
        }
    }

    @Test("requests that are malformed or not signed by their own key get no certificate")
    func hostileRequests() throws {
        let authority = try CertificateAuthority.create(at: someTime)
        let good = try CertificateRequest().der
        #expect(throws: Never.self) { try authority.issueNodeCertificate(request: good, node: .fresh(), at: someTime) }
        var damaged: [[UInt8]] = [[], [0x30], Array(good.dropLast())]
        for index in stride(from: 0, to: good.count, by: 3) {
            var copy = good
            copy[index] ^= 0x01
            damaged.append(copy)
        }
        for request in damaged {
            #expect(throws: LinkError.self) {
                try authority.issueNodeCertificate(request: request, node: .fresh(), at: someTime)
            }
        }
    }

    @Test("a server's certificate carries its names, as TLS reads them")
    func serverNames() throws {
        let authority = try CertificateAuthority.create(at: someTime)
        let long = String(repeating: "a", count: 63) + ".example.org"
        let server = try authority.issueServerCertificate(names: [long, "192.0.2.7", "2001:db8::7"], at: someTime)
        let tls = try NIOSSLCertificate(bytes: Array(server.certificatePEM.utf8), format: .pem)
        #expect(Array(tls._subjectAlternativeNames()).count == 4)
        let extensions = try Certificate(pemEncoded: server.certificatePEM).extensions
        let text = "\(try #require(try extensions.subjectAlternativeNames))"
        #expect(text.contains(long))
        #expect(!server.isRenewalDue(at: someTime))
        #expect(server.isRenewalDue(at: server.notAfter))
        #expect(throws: LinkError.self) { try authority.issueServerCertificate(names: [], at: someTime) }
        let folder = try Self.scratch()
        #expect(try ServerCertificate.load(path: folder + "/s.pem") == nil)
        try server.store(path: folder + "/s.pem")
        #expect(try ServerCertificate.load(path: folder + "/s.pem") == server)
        #expect(Self.mode(folder + "/s.pem") == 0o600)
    }

    @Test("tokens: the text round-trips, anything else is refused, and the secret stays out of descriptions")
    func tokens() throws {
        var generator = SeededGenerator(seed: 1)
        let hash = (0..<32).map { UInt8($0) }
        let token = try #require(JoinToken.make(authorityHash: hash, using: &generator))
        #expect(JoinToken(token.text) == token)
        #expect(token.text.hasPrefix("skerry1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8."))
        #expect(!"\(token)".contains(token.text.suffix(32)))
        #expect(token.secretHash == Array(SHA256.hash(data: token.secret)))
        #expect(JoinToken.make(authorityHash: [1, 2]) == nil)
        let text = token.text
        for wrong in [
            "", "skerry1", "skerry1..", "skerry2" + text.dropFirst(7), text + "A", String(text.dropLast()), text + ".",
            text + "\n", " " + text, text.replacing(".", with: ":"), text.replacing("skerry1", with: "SKERRY1"),
            "skerry1.\(text.split(separator: ".")[2]).\(text.split(separator: ".")[1])", text.replacing("A", with: "+"),
            text.replacing("A", with: "é")
        ] {
            #expect(JoinToken(wrong) == nil, "\(wrong)")
        }
    }

    @Test(
        "base64url agrees with RFC 4648",
        arguments: [
            ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy")
        ])
    func base64(plain: String, encoded: String) {
        #expect(Base64URL.encode(Array(plain.utf8)) == encoded)
        #expect(Base64URL.decode(encoded) == Array(plain.utf8))
        #expect(Base64URL.decode("Zh") == nil)
        #expect(Base64URL.decode("Z") == nil)
    }

    @Test(
        "endpoints",
        arguments: [
            ("host", "host:8701"), ("host:99", "host:99"), ("192.0.2.1", "192.0.2.1:8701"),
            ("192.0.2.1:1", "192.0.2.1:1"),
            ("[2001:DB8::1]", "[2001:db8::1]:8701"), ("[::1]:5", "[::1]:5"), ("::1", "[::1]:8701"),
            ("a-b.example.org:65535", "a-b.example.org:65535")
        ])
    func endpoints(text: String, canonical: String) {
        #expect(LinkEndpoint(text)?.description == canonical)
        #expect(LinkEndpoint(canonical)?.description == canonical)
    }

    @Test(
        "what is no endpoint",
        arguments: [
            "", ":", ":1", "host:", "host:0", "host:65536", "host:+1", "host:1:2", "[::1", "::1]", "[192.0.2.1]",
            "[]:1",
            "a b", "häst", "host/x", "host:99999999999999999999"
        ])
    func noEndpoints(text: String) { #expect(LinkEndpoint(text) == nil) }
}
