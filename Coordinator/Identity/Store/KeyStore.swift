import CoordinatorPlatform

/// The keys that tokens and stored credentials are sealed with, as they lie in the database.
enum KeyStore {
    /// What the keys of a ring are for; the word is bound to each when it is sealed.
    enum Ring: String, Sendable {
        case token, credential

        fileprivate var table: String { "identity_\(rawValue)_keys" }
    }

    static func rows(_ ring: Ring, in reader: any SQLReader) throws -> [TokenKey] {
        try reader.query("SELECT number, secret, created_at FROM \(ring.table) ORDER BY number") {
            TokenKey(number: UInt32(truncatingIfNeeded: $0.integer(0)), secret: $0.blob(1), createdAt: $0.integer(2))
        }
    }

    static func add(_ row: TokenKey, to ring: Ring, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "INSERT INTO \(ring.table) (number, secret, created_at) VALUES (?, ?, ?)",
            [Int64(row.number), row.secret, row.createdAt])
    }

    static func replaceSecret(of row: TokenKey, in ring: Ring, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "UPDATE \(ring.table) SET secret = ? WHERE number = ?", [row.secret, Int64(row.number)])
    }

    static func remove(upTo number: Int64, from ring: Ring, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM \(ring.table) WHERE number <= ?", [number])
    }
}
