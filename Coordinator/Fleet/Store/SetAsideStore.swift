import CoordinatorPlatform
import ProtocolModel

/// What nodes are not sent of their plans, what kinds their agents know, and statuses that a slice refused.
struct SetAsideStore: Sendable {
    /// A line of ``SetAside``: `kind` is what has to be known before the entry can be sent, `nil` where it is its size
    /// that stands in the way.
    struct Line: Sendable {
        var key: ResourceKey
        var generation: Int64
        var isForKind: Bool
    }

    func lines(of node: NodeID, in reader: any SQLReader) throws -> [Line] {
        try reader.query(
            "SELECT kind, resource, generation, for_kind FROM plan_set_aside WHERE node = ? ORDER BY id", [node]
        ) { row in
            Line(
                key: ResourceKey(kind: ResourceKind(rawValue: row.int(0)), id: try row.id(1)),
                generation: row.integer(2), isForKind: row.bool(3))
        }
    }

    func put(_ item: SetAside, node: NodeID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO plan_set_aside (node, kind, resource, generation, for_kind) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (node, kind, resource) DO UPDATE
            SET generation = excluded.generation, for_kind = excluded.for_kind
            """, [node, item.key.kind.rawValue, item.key.id, item.generation, item.reason == .unknownKind])
    }

    func delete(_ key: ResourceKey, node: NodeID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "DELETE FROM plan_set_aside WHERE node = ? AND kind = ? AND resource = ?",
            [node, key.kind.rawValue, key.id])
    }

    /// The kinds that agents of the node ever knew, and whether the last one did.
    func kinds(of node: NodeID, in reader: any SQLReader) throws -> [Int: (name: String, isCurrent: Bool)] {
        let rows = try reader.query("SELECT kind, name, is_current FROM node_kinds WHERE node = ?", [node]) {
            ($0.int(0), (name: $0.text(1), isCurrent: $0.bool(2)))
        }
        return Dictionary(rows) { first, _ in first }
    }

    /// Nodes whose last agent said that it knows the kind, under its name.
    func nodes(knowing kind: ResourceKind, in reader: any SQLReader) throws -> [NodeID] {
        try reader.query(
            "SELECT node FROM node_kinds WHERE kind = ? AND name = ? AND is_current = 1", [kind.rawValue, kind.name]
        ) { try $0.id(0) }
    }

    func setKinds(_ kinds: [Int: String], of node: NodeID, in transaction: any SQLTransaction) throws {
        try transaction.execute("UPDATE node_kinds SET is_current = 0 WHERE node = ?", [node])
        for (kind, name) in kinds.sorted(by: { $0.key < $1.key }) {
            try transaction.execute(
                """
                INSERT INTO node_kinds (node, kind, name, is_current) VALUES (?, ?, ?, 1)
                ON CONFLICT (node, kind) DO UPDATE SET name = excluded.name, is_current = 1
                """, [node, kind, name])
        }
    }

    /// - Returns: Whether this very refusal is news.
    func refuse(
        _ status: ResourceStatus, node: NodeID, reason: String, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Bool {
        let known = try transaction.count(
            """
            SELECT COUNT(*) FROM refused_statuses
            WHERE node = ? AND kind = ? AND resource = ? AND generation = ? AND phase = ? AND reason = ?
            """,
            [node, status.key.kind.rawValue, status.key.id, status.generation, status.phase.rawValue, reason])
        guard known == 0 else { return false }
        try transaction.execute(
            """
            INSERT INTO refused_statuses (node, kind, resource, generation, phase, reason, refused_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (node, kind, resource) DO UPDATE SET generation = excluded.generation,
                phase = excluded.phase, reason = excluded.reason, refused_at = excluded.refused_at
            """,
            [
                node, status.key.kind.rawValue, status.key.id, status.generation, status.phase.rawValue, reason, now
            ])
        // The newest are kept.
        try transaction.execute(
            """
            DELETE FROM refused_statuses WHERE id <=
                (SELECT id FROM refused_statuses ORDER BY id DESC LIMIT 1 OFFSET \(Self.refusalLimit))
            """)
        return true
    }

    /// Statuses that are kept for the operator to look at.
    static let refusalLimit = 1_000

    func deleteAll(of node: NodeID, in transaction: any SQLTransaction) throws {
        for table in ["plan_set_aside", "node_kinds", "refused_statuses"] {
            try transaction.execute("DELETE FROM \(table) WHERE node = ?", [node])
        }
    }
}
