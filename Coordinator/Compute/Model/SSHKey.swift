import Crypto

/// Keys in OpenSSH's formats.
package enum SSHKey {
    /// What a public key line says.
    package struct Public: Hashable {
        package var algorithm: String
        /// RFC 4253 section 6.6: the key as it goes over the wire.
        package var blob: [UInt8]

        /// MD5 of the blob, as `ssh-keygen -l -E md5` prints it.
        package var fingerprint: String {
            Insecure.MD5.hash(data: blob).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
        }
    }

    private static let algorithms: Set<String> = [
        "ssh-rsa", "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com", "ssh-dss"
    ]
    /// RSA of 16,384 bits has about 2,800 characters.
    private static let lengthLimit = 16_384

    /// Reads `ALGORITHM BASE64 [COMMENT]`. Like Nova it judges the first line of several.
    /// - Returns: `nil` for anything else, also when the blob names another algorithm.
    package static func parse(_ text: String) -> Public? {
        guard text.utf8.count <= lengthLimit, !text.utf8.contains(0) else { return nil }
        let line = text.prefix { !$0.isNewline }
        let words = line.split(maxSplits: 2, whereSeparator: \.isWhitespace)
        guard words.count >= 2, algorithms.contains(String(words[0])), let blob = Base64.decode(words[1]),
            let fields = fields(blob), fields.count >= 2, fields[0] == Array(words[0].utf8),
            words[0] != "ssh-ed25519" || fields[1].count == 32
        else { return nil }
        return Public(algorithm: String(words[0]), blob: blob)
    }

    /// The length-prefixed strings that a blob consists of (RFC 4251 section 5).
    private static func fields(_ blob: [UInt8]) -> [[UInt8]]? {
        var fields: [[UInt8]] = []
        var rest = blob[...]
        while !rest.isEmpty {
            guard rest.count >= 4 else { return nil }
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard length <= rest.count else { return nil }
            fields.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return fields
    }

    /// The public line of an RSA key (RFC 4253 section 6.6).
    /// - Parameters:
    ///   - modulus: Big-endian, as is the exponent.
    package static func rsaLine(modulus: [UInt8], exponent: [UInt8], comment: String) -> String {
        let blob = string("ssh-rsa") + string(positive(exponent)) + string(positive(modulus))
        return "ssh-rsa \(Base64.encode(blob)) \(comment)"
    }

    /// A number's shortest form in two's complement (RFC 4251 section 5).
    private static func positive(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array(bytes.drop { $0 == 0 })
        return (digits.first ?? 0) >= 0x80 ? [0] + digits : digits
    }

    private static func number(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> UInt32($0)) }
    }

    private static func string(_ bytes: [UInt8]) -> [UInt8] { number(UInt32(bytes.count)) + bytes }
    private static func string(_ text: String) -> [UInt8] { string(Array(text.utf8)) }
}
