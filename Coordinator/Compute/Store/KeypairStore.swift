import CoordinatorPlatform
import ProtocolModel

/// A user's public key.
package struct Keypair: Sendable, Hashable {
    package var number: Int64 = 0
    package var user: UserID
    package var name: String
    package var type = "ssh"
    package var fingerprint: String
    package var publicKey: String
    package var createdAt: Int64
}

extension Keypair: TableRecord {
    package static let table = RecordTable<Self>("keypairs")
    package static let blank = Keypair(
        user: .init(high: 0, low: 0), name: "", fingerprint: "", publicKey: "", createdAt: 0)

    package mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try column("user_id", &user, .fixed)
        try column("name", &name, .fixed)
        try column("type", &type, .fixed)
        try column("fingerprint", &fingerprint, .fixed)
        try column("public_key", &publicKey, .fixed)
        try column("created_at", &createdAt, .fixed)
    }
}

package struct KeypairStore: Sendable {
    package init() {}

    package static let schema = ListSchema(
        Keypair.table, identity: "name", columns: ["name": .init("name", isFilter: false, isSort: false)])

    package func find(_ name: String, user: UserID, in reader: any SQLReader) throws -> Keypair? {
        try Keypair.table.first(where: Self.one(name, user), in: reader)
    }

    /// By name.
    /// - Throws: ``UnknownMarker``
    package func list(_ query: ListQuery, user: UserID, in reader: any SQLReader) throws -> [Keypair] {
        var query = query
        query.sorts = [.init("name")]
        return try Self.schema.records(Keypair.table, query, visible: .equal("user_id", user), in: reader)
    }

    package func count(user: UserID, in reader: any SQLReader) throws -> Int {
        try Keypair.table.count(where: .equal("user_id", user), in: reader)
    }

    /// - Returns: `false` when there is one of the name.
    package func insert(_ keypair: Keypair, in transaction: any SQLTransaction) throws -> Bool {
        try Keypair.table.insert(keypair, unlessTaken: "user_id, name", in: transaction)
    }

    /// - Returns: `false` when there was none.
    package func delete(_ name: String, user: UserID, in transaction: any SQLTransaction) throws -> Bool {
        try Keypair.table.delete(where: Self.one(name, user), in: transaction) == 1
    }

    package func deleteAll(of user: UserID, in transaction: any SQLTransaction) throws {
        try Keypair.table.delete(where: .equal("user_id", user), in: transaction)
    }

    private static func one(_ name: String, _ user: UserID) -> SQLCondition {
        SQLCondition("user_id = ? AND name = ?", [user, name])
    }
}
