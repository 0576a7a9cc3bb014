import Crypto
import FoundationEssentials
import ProtocolModel
import X509
import _CryptoExtras

/// Keypairs of type `x509`: certificates by which people log into Windows guests over WinRM.
package enum CertificateKeypair {
    /// A certificate has a few kilobytes.
    private static let lengthLimit = 65_535

    /// - Parameter pem: A certificate.
    /// - Returns: SHA-1 of it in DER, in pairs of digits; `nil` for what is none.
    package static func fingerprint(_ pem: String) -> String? {
        guard pem.utf8.count <= lengthLimit, let certificate = try? Certificate(pemEncoded: pem),
            let document = try? certificate.serializeAsPEM()
        else { return nil }
        return fingerprint(document.derBytes)
    }

    private static func fingerprint(_ der: [UInt8]) -> String {
        Insecure.SHA1.hash(data: der).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    }

    package struct Made: Sendable {
        package var certificatePEM: String
        package var fingerprint: String
        /// PKCS #12 without a password, in Base64, as Nova gives it.
        package var privateKey: String
    }

    /// A key and a certificate for it, which names the user and is good for ten years.
    /// - Parameter now: Seconds since 1970.
    package static func make(for user: UserID, at now: Int64) throws -> Made {
        let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
        let name = try DistinguishedName { CommonName(user.compact) }
        let day: Int64 = 86_400
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey),
            notValidBefore: Date(timeIntervalSince1970: Double(now - day)),
            notValidAfter: Date(timeIntervalSince1970: Double(now + 3650 * day)), issuer: name, subject: name,
            signatureAlgorithm: .sha256WithRSAEncryption,
            extensions: try Certificate.Extensions {
                try ExtendedKeyUsage([.clientAuth])
                Certificate.Extension(
                    oid: [2, 5, 29, 17], critical: false, value: principal("\(user.compact)@localhost")[...])
            },
            issuerPrivateKey: .init(key))
        let document = try certificate.serializeAsPEM()
        let store = PKCS12.store(
            certificate: document.derBytes, rsaKey: Array(key.derRepresentation),
            salt: (0..<8).map { _ in UInt8.random(in: 0...255) })
        return Made(
            certificatePEM: document.pemString + "\n", fingerprint: fingerprint(document.derBytes),
            privateKey: Base64.encode(store))
    }

    /// A subject's alternative name: Windows' name of a user (1.3.6.1.4.1.311.20.2.3).
    private static func principal(_ name: String) -> [UInt8] {
        let type: [UInt8] = [0x2B, 6, 1, 4, 1, 0x82, 0x37, 20, 2, 3]
        let value = DER.explicit(0, DER.element(0x0C, Array(name.utf8)))
        return DER.sequence(DER.explicit(0, DER.identifier(type) + value))
    }
}

/// A certificate and its key in one file (RFC 7292), neither encrypted; whole by a code under the empty password.
enum PKCS12 {
    private static let pkcs: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1]
    private static let iterations = 2048

    /// - Parameter rsaKey: PKCS #1.
    static func store(certificate: [UInt8], rsaKey: [UInt8], salt: [UInt8]) -> [UInt8] {
        let encryption = DER.sequence(DER.identifier(pkcs + [1, 1]) + DER.null)
        let key = DER.sequence(DER.number(0) + encryption + DER.octets(rsaKey))
        let kept = DER.sequence(
            DER.identifier(pkcs + [9, 22, 1]) + DER.explicit(0, DER.octets(certificate)))
        let bags = DER.sequence(bag(1, key) + bag(3, kept))
        let safe = DER.sequence(content(bags))
        let code = HMAC<Insecure.SHA1>.authenticationCode(for: safe, using: SymmetricKey(data: codeKey(salt)))
        let sha1 = DER.sequence(DER.identifier([0x2B, 14, 3, 2, 26]) + DER.null)
        let digest = DER.sequence(sha1 + DER.octets(Array(code)))
        let whole = DER.sequence(digest + DER.octets(salt) + DER.number(iterations))
        return DER.sequence(DER.number(3) + content(safe) + whole)
    }

    private static func bag(_ type: UInt8, _ value: [UInt8]) -> [UInt8] {
        DER.sequence(DER.identifier(pkcs + [12, 10, 1, type]) + DER.explicit(0, value))
    }

    private static func content(_ bytes: [UInt8]) -> [UInt8] {
        DER.sequence(DER.identifier(pkcs + [7, 1]) + DER.explicit(0, DER.octets(bytes)))
    }

    /// Appendix B of RFC 7292 for a code's key: one block of SHA-1 is as long as it.
    private static func codeKey(_ salt: [UInt8]) -> [UInt8] {
        let block = 64
        let salts = (0..<block).map { salt[$0 % salt.count] }
        // The empty password is its terminator.
        let password = [UInt8](repeating: 0, count: block)
        var key = Array(Insecure.SHA1.hash(data: [UInt8](repeating: 3, count: block) + salts + password))
        for _ in 1..<iterations { key = Array(Insecure.SHA1.hash(data: key)) }
        return key
    }
}

/// What is needed of the distinguished encoding rules.
private enum DER {
    static let null: [UInt8] = [5, 0]

    static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        guard content.count >= 0x80 else { return [tag, UInt8(content.count)] + content }
        var length: [UInt8] = []
        var rest = content.count
        while rest > 0 {
            length.insert(UInt8(rest & 0xFF), at: 0)
            rest >>= 8
        }
        return [tag, 0x80 | UInt8(length.count)] + length + content
    }

    static func sequence(_ content: [UInt8]) -> [UInt8] { element(0x30, content) }
    static func octets(_ content: [UInt8]) -> [UInt8] { element(0x04, content) }
    static func identifier(_ content: [UInt8]) -> [UInt8] { element(0x06, content) }
    static func explicit(_ number: UInt8, _ content: [UInt8]) -> [UInt8] { element(0xA0 | number, content) }

    /// Below 32,768.
    static func number(_ value: Int) -> [UInt8] {
        let (high, low) = (UInt8(value >> 8 & 0x7F), UInt8(value & 0xFF))
        return element(0x02, high == 0 && low < 0x80 ? [low] : [high, low])
    }
}
