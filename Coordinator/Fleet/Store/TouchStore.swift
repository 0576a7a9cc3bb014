import CoordinatorPlatform
import ProtocolModel

/// Resources that changed on more nodes than their own transaction writes to, each with how far the nodes were told.
struct TouchStore: Sendable {
    struct Line: Sendable {
        var key: ResourceKey
        /// Entries up to this row of `plan_entries` are marked.
        var done: Int64
    }

    func put(_ key: ResourceKey, in transaction: any SQLTransaction) throws {
        // What was marked before this change has to be marked once more; what was not is marked anyway.
        try transaction.execute(
            """
            INSERT INTO plan_touches (kind, resource, done, again) VALUES (?, ?, 0, 0)
            ON CONFLICT (kind, resource) DO UPDATE SET again = CASE WHEN plan_touches.done > 0 THEN 1 ELSE 0 END
            """, [key.kind.rawValue, key.id])
    }

    func lines(limit: Int, in reader: any SQLReader) throws -> [Line] {
        try reader.query("SELECT kind, resource, done FROM plan_touches ORDER BY id LIMIT ?", [limit]) {
            Line(key: ResourceKey(kind: ResourceKind(rawValue: $0.int(0)), id: try $0.id(1)), done: $0.integer(2))
        }
    }

    func line(_ key: ResourceKey, in reader: any SQLReader) throws -> Line? {
        try reader.first(
            "SELECT done FROM plan_touches WHERE kind = ? AND resource = ?", [key.kind.rawValue, key.id]
        ) { Line(key: key, done: $0.integer(0)) }
    }

    /// The next nodes that have the resource, at most `limit`, with the rows of their entries.
    func holders(after line: Line, limit: Int, in reader: any SQLReader) throws -> [(row: Int64, node: NodeID)] {
        try reader.query(
            """
            SELECT id, node FROM plan_entries WHERE kind = ? AND resource = ? AND wanted = 1 AND id > ?
            ORDER BY id LIMIT ?
            """, [line.key.kind.rawValue, line.key.id, line.done, limit]
        ) { ($0.integer(0), try $0.id(1)) }
    }

    /// Gives the rows new generations, as many as there are nodes, with two statements.
    func mark(_ holders: [(row: Int64, node: NodeID)], in transaction: any SQLTransaction) throws {
        let nodes = SQLCondition.in("uuid", holders.map(\.node))
        let rows = SQLCondition.in("id", holders.map(\.row))
        try transaction.execute(
            "UPDATE nodes SET plan_revision = plan_revision + 1 WHERE \(nodes.sql)", nodes.arguments)
        try transaction.execute(
            """
            UPDATE plan_entries SET generation = (SELECT plan_revision FROM nodes WHERE uuid = plan_entries.node)
            WHERE \(rows.sql)
            """, rows.arguments)
    }

    func setDone(_ row: Int64, _ key: ResourceKey, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "UPDATE plan_touches SET done = ? WHERE kind = ? AND resource = ?", [row, key.kind.rawValue, key.id])
    }

    /// All nodes are marked; a resource that changed meanwhile begins anew.
    func finish(_ key: ResourceKey, in transaction: any SQLTransaction) throws {
        let name: [any SQLArgument] = [key.kind.rawValue, key.id]
        try transaction.execute("DELETE FROM plan_touches WHERE kind = ? AND resource = ? AND again = 0", name)
        try transaction.execute(
            "UPDATE plan_touches SET done = 0, again = 0 WHERE kind = ? AND resource = ?", name)
    }
}
