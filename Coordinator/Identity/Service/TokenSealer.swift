import Crypto
import Synchronization

import struct FoundationEssentials.Data

/// One key of the ring.
package struct TokenKey: Sendable {
    /// Counts up; the highest seals, all open.
    package var number: UInt32
    /// 32 bytes for AES-256-GCM.
    package var secret: [UInt8]
    /// Microseconds since 1970.
    package var createdAt: Int64

    package init(number: UInt32, secret: [UInt8], createdAt: Int64) {
        self.number = number
        self.secret = secret
        self.createdAt = createdAt
    }
}

/// Seals token payloads so that nobody can read or make them without a key of the ring.
///
/// Text: unpadded base64url of form (1), key number (u32), nonce (12 bytes), sealed payload, tag (16 bytes). The first
/// five bytes are authenticated with it.
package final class TokenSealer: Sendable {
    private struct Ring {
        var keys: [UInt32: SymmetricKey] = [:]
        var newest: UInt32 = 0
    }

    private static let form: UInt8 = 1
    private static let headerLength = 5
    private static let nonceLength = 12
    private static let tagLength = 16
    /// Longer texts are no tokens of ours.
    static let maximumLength = 512

    private let ring: Mutex<Ring>

    package init(_ keys: [TokenKey]) { ring = Mutex(Self.ring(keys)) }

    /// Keys that were read before others are not put in their place: who reads may be overtaken by who writes.
    package func replaceKeys(_ keys: [TokenKey]) {
        let next = Self.ring(keys)
        ring.withLock { if next.newest >= $0.newest { $0 = next } }
    }

    private static func ring(_ keys: [TokenKey]) -> Ring {
        var ring = Ring()
        for key in keys {
            ring.keys[key.number] = SymmetricKey(data: key.secret)
            ring.newest = max(ring.newest, key.number)
        }
        return ring
    }

    package func seal(_ payload: TokenPayload) throws -> String {
        let (number, key) = ring.withLock { ($0.newest, $0.keys[$0.newest]) }
        guard let key else { throw TokenSealerError.noKey }
        var out: [UInt8] = [Self.form]
        for shift in [24, 16, 8, 0] as [UInt32] { out.append(UInt8(number >> shift & 0xFF)) }
        let box = try AES.GCM.seal(payload.encoded(), using: key, authenticating: out)
        out.append(contentsOf: box.nonce)
        out.append(contentsOf: box.ciphertext)
        out.append(contentsOf: box.tag)
        return Base64URL.encode(out)
    }

    /// - Returns: `nil` for everything that a key of the ring has not sealed.
    package func open(_ token: String) -> TokenPayload? {
        guard token.utf8.count <= Self.maximumLength, let bytes = Base64URL.decode(token),
            bytes.count > Self.headerLength + Self.nonceLength + Self.tagLength, bytes[0] == Self.form
        else { return nil }
        let number = bytes[1..<Self.headerLength].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        guard let key = ring.withLock({ $0.keys[number] }) else { return nil }
        let sealed = bytes[(Self.headerLength + Self.nonceLength)..<(bytes.count - Self.tagLength)]
        guard
            let nonce = try? AES.GCM.Nonce(data: bytes[Self.headerLength..<Self.headerLength + Self.nonceLength]),
            let box = try? AES.GCM.SealedBox(
                nonce: nonce, ciphertext: sealed, tag: bytes[(bytes.count - Self.tagLength)...]),
            let plain = try? AES.GCM.open(box, using: key, authenticating: bytes[..<Self.headerLength])
        else { return nil }
        return TokenPayload(encoded: Array(plain))
    }
}

enum TokenSealerError: Error { case noKey }
