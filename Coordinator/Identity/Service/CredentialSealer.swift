import Crypto
import Synchronization

import struct FoundationEssentials.Data

/// Seals what users store with the identity service, so that a copy of its rows tells nothing.
///
/// Form (1), key number (u32, big-endian), nonce (12 bytes), sealed text, tag (16 bytes). Form, number and the
/// credential's id are authenticated with it: a secret cannot be moved to another credential.
package final class CredentialSealer: Sendable {
    private static let form: UInt8 = 1
    private static let headerLength = 5
    private static let nonceLength = 12
    private static let tagLength = 16

    /// All keys that something may be sealed with; the highest number seals.
    private let keys: Mutex<[UInt32: SymmetricKey]>

    package init(_ keys: [TokenKey]) {
        self.keys = Mutex(
            Dictionary(keys.map { ($0.number, SymmetricKey(data: $0.secret)) }, uniquingKeysWith: { _, last in last }))
    }

    package func replaceKeys(_ keys: [TokenKey]) {
        self.keys.withLock { held in for key in keys { held[key.number] = SymmetricKey(data: key.secret) } }
    }

    package func seal(_ text: String, for credential: String) throws -> [UInt8] {
        let newest = keys.withLock { keys in keys.max { $0.key < $1.key } }
        guard let newest else { throw TokenSealerError.noKey }
        var out: [UInt8] = [Self.form]
        for shift in [24, 16, 8, 0] as [UInt32] { out.append(UInt8(newest.key >> shift & 0xFF)) }
        let box = try AES.GCM.seal(
            Array(text.utf8), using: newest.value, authenticating: out + Array(credential.utf8))
        out.append(contentsOf: box.nonce)
        out.append(contentsOf: box.ciphertext)
        out.append(contentsOf: box.tag)
        return out
    }

    /// Whether it was sealed with a key that has been replaced since.
    package func isOld(_ sealed: [UInt8]) -> Bool {
        guard sealed.count >= Self.headerLength, let newest = keys.withLock({ $0.keys.max() }) else { return false }
        return Self.number(sealed) < newest
    }

    private static func number(_ sealed: [UInt8]) -> UInt32 {
        sealed[1..<headerLength].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    }

    /// - Returns: `nil` for what was not sealed here for this credential.
    package func open(_ sealed: [UInt8], for credential: String) -> String? {
        guard sealed.count >= Self.headerLength + Self.nonceLength + Self.tagLength, sealed[0] == Self.form else {
            return nil
        }
        let header = Array(sealed[..<Self.headerLength])
        let number = Self.number(header)
        let start = Self.headerLength + Self.nonceLength
        let end = sealed.count - Self.tagLength
        guard let key = keys.withLock({ $0[number] }),
            let nonce = try? AES.GCM.Nonce(data: sealed[Self.headerLength..<start]),
            let box = try? AES.GCM.SealedBox(nonce: nonce, ciphertext: sealed[start..<end], tag: sealed[end...]),
            let plain = try? AES.GCM.open(box, using: key, authenticating: header + Array(credential.utf8))
        else { return nil }
        return String(decoding: plain, as: UTF8.self)
    }
}
