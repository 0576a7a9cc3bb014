import CoordinatorPlatform
import ProtocolModel

/// Which ports are in which security groups, and on which nodes they are.
struct MembershipStore: Sendable {
    private let table = "network_port_groups"

    private static func both(_ group: SecurityGroupID, _ column: String, _ value: any SQLArgument) -> SQLCondition {
        .all([.equal("group_id", group), .equal(column, value)])
    }

    func add(_ port: PortID, to groups: [SecurityGroupID], in transaction: any SQLTransaction) throws {
        for group in groups {
            try transaction.execute(
                """
                INSERT INTO network_port_groups (port_id, group_id) VALUES (?, ?)
                ON CONFLICT (port_id, group_id) DO NOTHING
                """, [port, group])
        }
    }

    func remove(_ port: PortID, from groups: [SecurityGroupID], in transaction: any SQLTransaction) throws {
        for group in groups {
            let condition = Self.both(group, "port_id", port)
            try transaction.execute("DELETE FROM \(table) WHERE \(condition.sql)", condition.arguments)
        }
    }

    func setNode(_ node: NodeID?, of port: PortID, in transaction: any SQLTransaction) throws {
        try transaction.execute("UPDATE \(table) SET node_id = ? WHERE port_id = ?", [node, port])
    }

    func isUsed(_ group: SecurityGroupID, in reader: any SQLReader) throws -> Bool {
        try reader.exists(table, .equal("group_id", group))
    }

    func ports(in group: SecurityGroupID, _ reader: any SQLReader) throws -> [PortID] {
        try reader.query("SELECT port_id FROM \(table) WHERE group_id = ?", [group]) { try $0.id(0) }
    }

    /// Whether a port on the node is in the group.
    func hasMember(_ group: SecurityGroupID, on node: NodeID, in reader: any SQLReader) throws -> Bool {
        try reader.exists(table, Self.both(group, "node_id", node))
    }

    /// The addresses of all ports in the group, also those bound nowhere.
    func addresses(in group: SecurityGroupID, _ reader: any SQLReader) throws -> [IPAddress] {
        try reader.query(
            """
            SELECT a.sort_key FROM network_port_groups m JOIN network_allocations a ON a.port_id = m.port_id
            WHERE m.group_id = ?
            """, [group]
        ) { try AddressKey.read($0, 0).address }
    }

    /// The allowed address pairs of all ports in the group.
    func pairs(in group: SecurityGroupID, _ reader: any SQLReader) throws -> [PortRecord.Pair] {
        try reader.query(
            """
            SELECT p.pairs FROM network_port_groups m JOIN network_ports p ON p.uuid = m.port_id
            WHERE m.group_id = ? AND p.pairs <> ''
            """, [group]
        ) { try $0.list(0) as [PortRecord.Pair] }.flatMap { $0 }
    }
}
