import CoordinatorPlatform
import ProtocolModel

/// The rows of nodes' plans.
public struct PlanStore: Sendable {
    public init() {}

    package struct Position: Sendable, Equatable {
        package var epoch: Int64
        package var revision: Int64
        /// The highest revision that the agent ever confirmed to hold.
        package var acknowledged: Int64

        package init(epoch: Int64, revision: Int64, acknowledged: Int64) {
            self.epoch = epoch
            self.revision = revision
            self.acknowledged = acknowledged
        }
    }

    package struct Entry: Sendable {
        package var key: ResourceKey
        package var generation: Int64
        package var isWanted: Bool

        package init(key: ResourceKey, generation: Int64, isWanted: Bool) {
            self.key = key
            self.generation = generation
            self.isWanted = isWanted
        }
    }

    func position(of node: NodeID, in reader: any SQLReader) throws -> Position? {
        try reader.first(
            "SELECT plan_epoch, plan_revision, acknowledged_revision FROM nodes WHERE uuid = ? AND removed_at IS NULL",
            [node]
        ) { Position(epoch: $0.integer(0), revision: $0.integer(1), acknowledged: $0.integer(2)) }
    }

    /// - Throws: ``FleetError/unknownNode(_:)`` for a node that was removed.
    func nextGeneration(of node: NodeID, in transaction: any SQLTransaction) throws -> Int64 {
        let next = try transaction.first(
            """
            UPDATE nodes SET plan_revision = plan_revision + 1 WHERE uuid = ? AND removed_at IS NULL
            RETURNING plan_revision
            """, [node]
        ) { $0.integer(0) }
        guard let next else { throw FleetError.unknownNode(node.text) }
        return next
    }

    func upsert(
        _ key: ResourceKey, node: NodeID, generation: Int64, wanted: Bool, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO plan_entries (node, kind, resource, generation, wanted) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (node, kind, resource) DO UPDATE SET generation = excluded.generation, wanted = excluded.wanted
            """, [node, key.kind.rawValue, key.id, generation, wanted])
    }

    func entry(_ key: ResourceKey, node: NodeID, in reader: any SQLReader) throws -> Entry? {
        try reader.first(
            "SELECT generation, wanted FROM plan_entries WHERE node = ? AND kind = ? AND resource = ?",
            [node, key.kind.rawValue, key.id]
        ) { Entry(key: key, generation: $0.integer(0), isWanted: $0.bool(1)) }
    }

    func holders(
        of key: ResourceKey, limit: Int = Int(Int32.max), in reader: any SQLReader
    ) throws -> [NodeID] {
        try reader.query(
            "SELECT node FROM plan_entries WHERE kind = ? AND resource = ? AND wanted = 1 ORDER BY id LIMIT ?",
            [key.kind.rawValue, key.id, limit]
        ) { try $0.id(0) }
    }

    /// Entries that changed after `generation`, oldest change first.
    package func changes(
        of node: NodeID, after generation: Int64, limit: Int, in reader: any SQLReader
    ) throws -> [Entry] {
        try reader.query(
            """
            SELECT kind, resource, generation, wanted FROM plan_entries WHERE node = ? AND generation > ?
            ORDER BY generation LIMIT ?
            """, [node, generation, limit]
        ) { row in
            Entry(
                key: ResourceKey(kind: ResourceKind(rawValue: row.int(0)), id: try row.id(1)),
                generation: row.integer(2), isWanted: row.bool(3))
        }
    }

    /// Removals that the node has heard of (its plan leads to `revision`) and has not reported the end of.
    func removals(of node: NodeID, upTo revision: Int64, in reader: any SQLReader) throws -> [ResourceKey] {
        try reader.query(
            """
            SELECT kind, resource FROM plan_entries WHERE node = ? AND wanted = 0 AND generation <= ?
            ORDER BY generation
            """, [node, revision]
        ) { ResourceKey(kind: ResourceKind(rawValue: $0.int(0)), id: try $0.id(1)) }
    }

    package func delete(_ key: ResourceKey, node: NodeID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "DELETE FROM plan_entries WHERE node = ? AND kind = ? AND resource = ?", [node, key.kind.rawValue, key.id])
        try SetAsideStore().delete(key, node: node, in: transaction)
    }

    func deleteAll(of node: NodeID, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM plan_entries WHERE node = ?", [node])
        try SetAsideStore().deleteAll(of: node, in: transaction)
    }

    func count(of node: NodeID, in reader: any SQLReader) throws -> Int {
        try reader.count("SELECT COUNT(*) FROM plan_entries WHERE node = ?", [node])
    }

    func acknowledge(_ revision: Int64, node: NodeID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "UPDATE nodes SET acknowledged_revision = ? WHERE uuid = ? AND acknowledged_revision < ?",
            [revision, node, revision])
    }

    /// The nodes that have not confirmed all of their plans.
    func behind(in reader: any SQLReader) throws -> [NodeID] {
        try reader.query(
            "SELECT uuid FROM nodes WHERE removed_at IS NULL AND acknowledged_revision < plan_revision"
        ) { try $0.id(0) }
    }

    /// How many nodes there are by what is thought of them, and how many have not confirmed all of their plans.
    public func hosts(in reader: any SQLReader) throws -> (health: [String: Int], behind: Int) {
        let health = try reader.query("SELECT health FROM nodes WHERE removed_at IS NULL", []) { $0.text(0) }
        return (Dictionary(health.map { ($0, 1) }, uniquingKeysWith: +), try behind(in: reader).count)
    }

    /// A new history, after which the agent is sent a snapshot.
    func restart(_ node: NodeID, epoch: Int64, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "UPDATE nodes SET plan_epoch = ?, acknowledged_revision = 0 WHERE uuid = ?", [epoch, node])
    }

    /// New histories for all nodes, as in a database that was restored: what agents have seen may be younger than it.
    public func restartAll(epoch: Int64, in transaction: any SQLTransaction) throws {
        try transaction.execute("UPDATE nodes SET plan_epoch = ?, acknowledged_revision = 0", [epoch])
    }
}
