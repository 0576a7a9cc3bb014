import CoordinatorPlatform
import ProtocolModel

/// Who of a group is where.
struct GroupStore: Sendable {
    /// What a claim goes by.
    struct Seen: Sendable {
        /// Rises with every member; 0 before the first.
        var generation: Int64
        /// How many there are on each host.
        var members: [NodeID: Int]
    }

    /// - Parameter consumer: Does not count: it is placed anew.
    func members(of group: AnyID, but consumer: AnyID, in reader: any SQLReader) throws -> Seen {
        let generation = try reader.first(
            "SELECT generation FROM placement_groups WHERE uuid = ?", [group]
        ) { $0.integer(0) }
        let nodes: [NodeID] = try reader.query(
            "SELECT provider_uuid FROM placement_group_members WHERE group_uuid = ? AND consumer_uuid <> ?",
            [group, consumer]
        ) { try $0.id(0) }
        return Seen(generation: generation ?? 0, members: nodes.reduce(into: [:]) { $0[$1, default: 0] += 1 })
    }

    /// One conditional write decides: where somebody else joined since the group was looked at, nothing is written.
    /// - Throws: ``StoreError/stale(_:)`` then.
    func join(
        _ group: AnyID, seen: Seen, consumer: AnyID, on node: NodeID, in transaction: any SQLTransaction
    ) throws {
        let count = try transaction.execute(
            """
            INSERT INTO placement_groups (uuid, generation) VALUES (?, 1)
            ON CONFLICT (uuid) DO UPDATE SET generation = placement_groups.generation + 1
            WHERE placement_groups.generation = ?
            """, [group, seen.generation])
        guard count == 1 else { throw StoreError.stale("server group \(group)") }
        try transaction.execute(
            """
            INSERT INTO placement_group_members (group_uuid, consumer_uuid, provider_uuid) VALUES (?, ?, ?)
            """, [group, consumer, node])
    }

    func leave(_ consumer: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM placement_group_members WHERE consumer_uuid = ?", [consumer])
    }

    func forget(_ group: AnyID, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM placement_group_members WHERE group_uuid = ?", [group])
        try transaction.execute("DELETE FROM placement_groups WHERE uuid = ?", [group])
    }
}
