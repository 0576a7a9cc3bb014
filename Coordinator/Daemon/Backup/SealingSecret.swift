import Crypto
import CryptoExtras

import struct FoundationEssentials.Data

/// What a backup is sealed with: a passphrase, or the public keys of those who may open it.
package enum BackupLock: Sendable {
    case passphrase([UInt8])
    case recipients([Curve25519.KeyAgreement.PublicKey])
}

/// What opens a backup.
package enum BackupKey: Sendable {
    case passphrase([UInt8])
    case identities([Curve25519.KeyAgreement.PrivateKey])
}

extension BackupLock {
    /// Fewer characters are guessed in time.
    package static let shortestPassphrase = 12

    /// - Returns: A key that `age-keygen` shows as `public key`; `nil` for anything else.
    package static func recipient(_ text: String) -> Curve25519.KeyAgreement.PublicKey? {
        Bech32.decode(text, prefix: "age").flatMap { try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: $0) }
    }

    /// The first line, which must be long enough for a passphrase.
    /// - Throws: ``StartError``.
    package static func passphrase(in path: String) throws -> BackupLock {
        let passphrase = try BackupKey.firstLine(of: path)
        guard passphrase.count >= shortestPassphrase else {
            throw StartError(
                "The first line of '\(path)' is the passphrase, and must have \(shortestPassphrase) characters or more."
            )
        }
        return .passphrase(Array(passphrase.utf8))
    }
}

extension BackupKey {
    package static func passphrase(in path: String) throws -> BackupKey {
        .passphrase(Array(try firstLine(of: path).utf8))
    }

    /// The keys that `age-keygen` writes into a file.
    /// - Throws: ``StartError`` for a file with anything else in it.
    package static func identities(in path: String) throws -> BackupKey {
        let lines = try StateFiles.text(of: path).split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("#") }
        let keys = lines.compactMap { line in
            Bech32.decode(String(line), prefix: "age-secret-key-").flatMap {
                try? Curve25519.KeyAgreement.PrivateKey(rawRepresentation: $0)
            }
        }
        guard !keys.isEmpty, keys.count == lines.count else {
            throw StartError(
                "'\(path)' must hold secret keys as 'age-keygen' makes them, AGE-SECRET-KEY-1..., one a line.")
        }
        return .identities(keys)
    }

    fileprivate static func firstLine(of path: String) throws -> Substring {
        try StateFiles.text(of: path).split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).first ?? ""
    }
}

/// The key that a passphrase gives, at a cost that makes guessing slow.
enum PassphraseKey {
    /// 2^17 rounds of 1 KiB: 128 MiB for about half a second.
    static let cost = 17
    /// More would take more memory than a small machine has to spare.
    static let costLimit = 20

    static func derive(_ passphrase: [UInt8], salt: [UInt8], cost: Int) throws -> SymmetricKey {
        try KDF.Scrypt.deriveKey(
            from: Data(passphrase), salt: Data(Array("age-encryption.org/v1/scrypt".utf8) + salt), outputByteCount: 32,
            rounds: 1 << cost, blockSize: 8, parallelism: 1)
    }
}
