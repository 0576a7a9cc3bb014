import Crypto

/// What `skerry node token` prints and `skerry-agent join` takes: `skerry1.` followed by the coordinator authority's
/// hash and a secret that is good for one join, both in base64url without padding (RFC 4648 section 5).
public struct JoinToken: Hashable, Sendable, CustomStringConvertible {
    public static let hashBytes = 32
    public static let secretBytes = 24

    /// SHA-256 of the authority's certificate in DER form: the agent trusts no other coordinator.
    public let authorityHash: [UInt8]
    public let secret: [UInt8]

    /// - Returns: `nil` unless there are 32 and 24 octets.
    public init?(authorityHash: [UInt8], secret: [UInt8]) {
        guard authorityHash.count == Self.hashBytes, secret.count == Self.secretBytes else { return nil }
        self.authorityHash = authorityHash
        self.secret = secret
    }

    /// - Returns: `nil` for any text that ``text`` does not produce.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "skerry1", let hash = Base64URL.decode(parts[1]),
            let secret = Base64URL.decode(parts[2])
        else { return nil }
        self.init(authorityHash: hash, secret: secret)
    }

    /// A token with a fresh secret.
    public static func make(
        authorityHash: [UInt8], using generator: inout some RandomNumberGenerator
    ) -> Self? {
        Self(
            authorityHash: authorityHash,
            secret: (0..<secretBytes).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    /// A token with a fresh secret from the system's generator.
    public static func make(authorityHash: [UInt8]) -> Self? {
        var generator = SystemRandomNumberGenerator()
        return make(authorityHash: authorityHash, using: &generator)
    }

    /// SHA-256 of the secret: what the coordinator keeps. The secret has 192 random bits, so nothing slower is needed.
    public var secretHash: [UInt8] { Self.hash(ofSecret: secret) }

    public static func hash(ofSecret secret: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: secret)) }

    public var text: String { "skerry1.\(Base64URL.encode(authorityHash)).\(Base64URL.encode(secret))" }

    /// Without the secret, for logs.
    public var description: String { "join token for authority \(Base64URL.encode(authorityHash))" }
}

/// RFC 4648 section 5, without padding.
package enum Base64URL {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    package static func encode(_ bytes: [UInt8]) -> String {
        var out: [UInt8] = []
        out.reserveCapacity((bytes.count * 4 + 2) / 3)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32((3 - group.count) * 8)
            for index in 0...group.count { out.append(alphabet[Int(bits >> UInt32(18 - index * 6) & 63)]) }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// - Returns: `nil` for characters outside the alphabet, an impossible length or stray bits at the end.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var out: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for character in text.utf8 {
            guard let value = value(of: character) else { return nil }
            bits = bits << 6 | value
            count += 6
            if count >= 8 {
                count -= 8
                out.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
                bits &= (1 << UInt32(count)) - 1
            }
        }
        return count < 6 && bits == 0 ? out : nil
    }

    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
