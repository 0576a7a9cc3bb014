import CoordinatorPlatform
import ProtocolModel

/// A user's public key.
public struct Keypair: Sendable, Hashable {
    public var number: Int64
    public var user: UserID
    public var name: String
    public var type: String
    public var fingerprint: String
    public var publicKey: String
    public var createdAt: Int64
}

struct KeypairStore: Sendable {
    private static let selection =
        "SELECT id, user_id, name, type, fingerprint, public_key, created_at FROM keypairs"

    func find(_ name: String, user: UserID, in reader: any SQLReader) throws -> Keypair? {
        try reader.first(Self.selection + " WHERE user_id = ? AND name = ?", [user, name], Self.read)
    }

    /// By name, after `marker`.
    func list(
        user: UserID, after marker: String?, limit: Int, in reader: any SQLReader
    ) throws -> [Keypair] {
        try reader.query(
            Self.selection + " WHERE user_id = ? AND name > ? ORDER BY name LIMIT ?", [user, marker ?? "", limit],
            Self.read)
    }

    func count(user: UserID, in reader: any SQLReader) throws -> Int {
        try reader.count("SELECT COUNT(*) FROM keypairs WHERE user_id = ?", [user])
    }

    func insert(_ keypair: Keypair, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO keypairs (user_id, name, type, fingerprint, public_key, created_at) VALUES (?, ?, ?, ?, ?, ?)
            """,
            [
                keypair.user, keypair.name, keypair.type, keypair.fingerprint, keypair.publicKey, keypair.createdAt
            ])
    }

    /// - Returns: `false` when there was none.
    func delete(_ name: String, user: UserID, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.execute("DELETE FROM keypairs WHERE user_id = ? AND name = ?", [user, name]) == 1
    }

    private static func read(_ row: any SQLRow) throws -> Keypair {
        Keypair(
            number: row.integer(0), user: try row.uuid(1), name: row.text(2), type: row.text(3),
            fingerprint: row.text(4),
            publicKey: row.text(5), createdAt: row.integer(6))
    }
}
