import CoordinatorPlatform
import ProtocolModel
import _CryptoExtras

/// Random words and keys.
enum Secrets {
    /// Without characters that are easily taken for one another.
    private static let passwordLetters = Array("23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")
    private static let wordLetters = Array("0123456789abcdefghijklmnopqrstuvwxyz")

    /// 12 characters: about 70 bits.
    static func password() -> String { make(passwordLetters, length: 12) }
    static func word(length: Int) -> String { make(wordLetters, length: length) }

    /// The primes of a key are sought for a tenth of a second: one at a time, and not on the threads of requests.
    private static let keyMaker = BlockingPool(threads: 1, waiting: 16)

    /// An RSA key of 2048 bits in the form that Nova's clients parse (PKCS #1).
    /// - Throws: ``APIError`` 503 when too many are asked for at once.
    static func sshKey(comment: String) async throws -> (publicKey: String, privateKey: String) {
        do {
            return try await keyMaker.run {
                let key = try _RSA.Signing.PrivateKey(keySize: .bits2048)
                let numbers = try key.publicKey.getKeyPrimitives()
                let line = SSHKey.rsaLine(
                    modulus: Array(numbers.modulus), exponent: Array(numbers.publicExponent), comment: comment)
                return (line, key.pemRepresentation)
            }
        } catch is BlockingPool.Overloaded {
            throw APIError(status: 503, message: "Too many key pairs are being made: try again in a moment.")
        }
    }

    /// - Throws: ``APIError`` 503 when too many are asked for at once.
    static func certificate(for user: UserID, at now: Int64) async throws -> CertificateKeypair.Made {
        do {
            return try await keyMaker.run { try CertificateKeypair.make(for: user, at: now / 1_000_000) }
        } catch is BlockingPool.Overloaded {
            throw APIError(status: 503, message: "Too many key pairs are being made: try again in a moment.")
        }
    }

    private static func make(_ letters: [Character], length: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        return String((0..<length).map { _ in letters[Int.random(in: 0..<letters.count, using: &generator)] })
    }
}
