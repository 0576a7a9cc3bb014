import Crypto

/// Random words and keys.
enum Secrets {
    /// Without characters that are easily taken for one another.
    private static let passwordLetters = Array("23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")
    private static let wordLetters = Array("0123456789abcdefghijklmnopqrstuvwxyz")

    /// 12 characters: about 70 bits.
    static func password() -> String { make(passwordLetters, length: 12) }
    static func word(length: Int) -> String { make(wordLetters, length: length) }

    /// An ed25519 key.
    static func sshKey(comment: String) -> (publicKey: String, privateKey: String) {
        SSHKey.encode(Curve25519.Signing.PrivateKey(), comment: comment, check: .random(in: .min ... .max))
    }

    private static func make(_ letters: [Character], length: Int) -> String {
        var generator = SystemRandomNumberGenerator()
        return String((0..<length).map { _ in letters[Int.random(in: 0..<letters.count, using: &generator)] })
    }
}
