import CoordinatorPlatform
import ProtocolModel

/// A resource that changed on more nodes than its own transaction writes to, with how far the nodes were told.
package struct PlanTouch: TableRecord {
    package var kind: Int
    package var resource: AnyID
    /// Entries up to this row of `plan_entries` are marked.
    package var done: Int64
    /// It changed once more since.
    package var again: Bool

    package static let blank = PlanTouch(kind: 0, resource: AnyID(high: 0, low: 0), done: 0, again: false)
    package static let table = RecordTable<Self>("plan_touches")

    package mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("kind", &kind, .fixed)
        try column("resource", &resource, .fixed)
        try column("done", &done)
        try column("again", &again)
    }

    var key: ResourceKey { ResourceKey(kind: ResourceKind(rawValue: kind), id: resource) }
}

/// The row of a node's entry for a resource.
package struct PlanHolder: TableRecord {
    package var row: Int64 = 0
    package var node: NodeID

    package static let blank = PlanHolder(node: NodeID(high: 0, low: 0))
    package static let table = RecordTable<Self>("plan_entries")

    package mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &row, .number)
        try column("node", &node, .fixed)
    }
}

package struct TouchStore: Sendable {
    package init() {}

    func put(_ key: ResourceKey, in transaction: any SQLTransaction) throws {
        // What was marked before this change has to be marked once more; what was not is marked anyway.
        try transaction.execute(
            """
            INSERT INTO plan_touches (kind, resource, done, again) VALUES (?, ?, 0, 0)
            ON CONFLICT (kind, resource) DO UPDATE SET again = CASE WHEN plan_touches.done > 0 THEN 1 ELSE 0 END
            """, [key.kind.rawValue, key.id])
    }

    func lines(limit: Int, in reader: any SQLReader) throws -> [PlanTouch] {
        try PlanTouch.table.all(where: .always, limit: limit, in: reader)
    }

    package func line(_ key: ResourceKey, in reader: any SQLReader) throws -> PlanTouch? {
        try PlanTouch.table.first(where: Self.of(key), in: reader)
    }

    /// The next nodes that have the resource, at most `limit`, with the rows of their entries.
    package func holders(after line: PlanTouch, limit: Int, in reader: any SQLReader) throws -> [PlanHolder] {
        let later = SQLCondition("id > ?", [line.done])
        return try PlanHolder.table.all(
            where: .all([Self.of(line.key), .equal("wanted", 1), later]), limit: limit, in: reader)
    }

    private static func of(_ key: ResourceKey) -> SQLCondition {
        .all([.equal("kind", key.kind.rawValue), .equal("resource", key.id)])
    }

    /// Gives the rows new generations, as many as there are nodes, with two statements.
    package func mark(_ holders: [PlanHolder], in transaction: any SQLTransaction) throws {
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

    package func setDone(_ row: Int64, _ key: ResourceKey, in transaction: any SQLTransaction) throws {
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
