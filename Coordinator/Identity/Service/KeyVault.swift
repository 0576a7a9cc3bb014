import CoordinatorPlatform
import Crypto

/// Keeps the keys of tokens and credentials in the database in such a way that the database alone, a backup of it say,
/// opens nothing: each is sealed with a key that lies in a file of its own.
///
/// A sealed key is nonce (12 bytes), key (32 bytes), tag (16 bytes); ring and number are authenticated with it.
struct KeyVault: Sendable {
    static let secretLength = 32

    /// `nil` leaves keys open, for a database that ends with its process.
    private let key: SymmetricKey?

    /// - Parameter key: 32 bytes.
    init(_ key: [UInt8]?) { self.key = key.map { SymmetricKey(data: $0) } }

    /// All keys of a ring, oldest first. What an older release left open is sealed.
    /// - Returns: The keys, and whether there was one that lay open: copies of it may be anywhere, so it must seal
    ///   nothing more.
    /// - Throws: ``KeyVaultError`` where the file's key is not the one that they were sealed with.
    func keys(
        _ ring: KeyRing, in transaction: any SQLTransaction
    ) throws -> (keys: [TokenKey], wereOpen: Bool) {
        var wereOpen = false
        let keys = try Self.rows(ring, transaction).map { row in
            guard row.secret.count != Self.secretLength else {
                if key != nil {
                    try ring.table.update(sealed(row, ring), in: transaction)
                    wereOpen = true
                }
                return row
            }
            return try opened(row, ring)
        }
        return (keys, wereOpen)
    }

    private static func rows(_ ring: KeyRing, _ reader: any SQLReader) throws -> [TokenKey] {
        try ring.table.all(order: "number", in: reader)
    }

    /// All keys of a ring as they are, oldest first.
    /// - Throws: ``KeyVaultError``
    func keys(_ ring: KeyRing, reading reader: any SQLReader) throws -> [TokenKey] {
        try Self.rows(ring, reader).map { $0.secret.count == Self.secretLength ? $0 : try opened($0, ring) }
    }

    /// Whether the database has keys that nothing but the file's key opens.
    static func hasSealedKeys(_ reader: any SQLReader) throws -> Bool {
        try KeyRing.allCases.contains { ring in
            try rows(ring, reader).contains { $0.secret.count != secretLength }
        }
    }

    /// - Parameter number: The keys up to this one go.
    func add(_ key: TokenKey, to ring: KeyRing, upTo number: Int64, in edit: inout IdentityEdit) throws {
        try edit.add(sealed(key, ring), to: ring, upTo: number)
    }

    private func sealed(_ row: TokenKey, _ ring: KeyRing) throws -> TokenKey {
        guard let key else { return row }
        let box = try AES.GCM.seal(row.secret, using: key, authenticating: Self.name(row, ring))
        var row = row
        row.secret = Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
        return row
    }

    private func opened(_ row: TokenKey, _ ring: KeyRing) throws -> TokenKey {
        guard let key, let box = try? AES.GCM.SealedBox(combined: row.secret),
            let secret = try? AES.GCM.open(box, using: key, authenticating: Self.name(row, ring))
        else { throw KeyVaultError(ring: ring.rawValue, number: row.number) }
        var row = row
        row.secret = Array(secret)
        return row
    }

    private static func name(_ row: TokenKey, _ ring: KeyRing) -> [UInt8] {
        Array("skerry \(ring.rawValue) key \(row.number)".utf8)
    }
}

/// The database was made with another sealing key than the one at hand.
package struct KeyVaultError: Error, CustomStringConvertible {
    var ring: String
    var number: UInt32

    package var description: String {
        """
        The \(ring) key \(number) in the database cannot be opened with the sealing key at hand. Put back the file \
        keys/sealing.key that belongs to this database; without it, what users stored with the identity service is lost.
        """
    }
}
