import CoordinatorPlatform
import ProtocolModel

/// Server tags, in the order they were given.
struct TagStore: Sendable {
    func tags(of server: ServerID, in reader: any SQLReader) throws -> [String] {
        try reader.query("SELECT tag FROM server_tags WHERE server_uuid = ? ORDER BY id", [server]) { $0.text(0) }
    }

    func tags(of servers: [ServerID], in reader: any SQLReader) throws -> [ServerID: [String]] {
        var found: [ServerID: [String]] = [:]
        for ids in chunks(servers) {
            let rows = try reader.query(
                "SELECT server_uuid, tag FROM server_tags WHERE server_uuid IN (\(marks(ids.count))) ORDER BY id", ids
            ) { row -> (ServerID, String) in (try row.uuid(0), row.text(1)) }
            for (server, tag) in rows { found[server, default: []].append(tag) }
        }
        return found
    }

    /// - Returns: `false` when the server had it already.
    func add(_ tag: String, to server: ServerID, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.execute(
            "INSERT INTO server_tags (server_uuid, tag) VALUES (?, ?) ON CONFLICT (server_uuid, tag) DO NOTHING",
            [server, tag]) == 1
    }

    /// - Returns: `false` when the server did not have it.
    func remove(_ tag: String, from server: ServerID, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.execute("DELETE FROM server_tags WHERE server_uuid = ? AND tag = ?", [server, tag]) == 1
    }

    func removeAll(from server: ServerID, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM server_tags WHERE server_uuid = ?", [server])
    }
}
