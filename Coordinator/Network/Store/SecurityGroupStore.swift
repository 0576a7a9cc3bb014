import CoordinatorPlatform
import ProtocolModel

/// The table of security groups and which ports are in them.
struct SecurityGroupStore: Sendable {
    static let columns =
        "g.uuid, g.project_id, g.name, g.description, g.revision, g.created_at, g.updated_at, g.is_default"

    static func record(_ row: any SQLRow) throws -> SecurityGroupRecord {
        SecurityGroupRecord(
            id: try row.id(0), project: try row.id(1),
            standard: Standard(
                name: row.text(2), description: row.text(3), revision: row.int(4), createdAt: row.integer(5),
                updatedAt: row.integer(6)),
            isDefault: row.bool(7))
    }

    func find(_ id: SecurityGroupID, in reader: any SQLReader) throws -> SecurityGroupRecord? {
        try reader.first("SELECT \(Self.columns) FROM network_security_groups g WHERE g.uuid = ?", [id], Self.record)
    }

    func find(_ ids: [SecurityGroupID], in reader: any SQLReader) throws -> [SecurityGroupRecord] {
        let list = InList(ids)
        return try reader.query(
            "SELECT \(Self.columns) FROM network_security_groups g WHERE g.uuid IN \(list.placeholders)",
            list.arguments,
            Self.record)
    }

    func named(_ name: String, project: ProjectID, in reader: any SQLReader) throws -> [SecurityGroupRecord] {
        try reader.query(
            "SELECT \(Self.columns) FROM network_security_groups g WHERE g.project_id = ? AND g.name = ? ORDER BY g.id",
            [project.compact, name], Self.record)
    }

    func defaultGroup(of project: ProjectID, in reader: any SQLReader) throws -> SecurityGroupRecord? {
        try reader.first(
            "SELECT \(Self.columns) FROM network_security_groups g WHERE g.project_id = ? AND g.is_default = 1",
            [project.compact], Self.record)
    }

    func insert(_ group: SecurityGroupRecord, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO network_security_groups (uuid, project_id, name, description, revision, created_at, updated_at,
                is_default)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                group.id, group.project.compact, group.standard.name, group.standard.description,
                group.standard.revision,
                group.standard.createdAt, group.standard.updatedAt, group.isDefault
            ])
    }

    /// - Throws: ``StoreError/stale(_:)`` when `group` is not the newest revision.
    func update(_ group: SecurityGroupRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        let changed = try transaction.execute(
            """
            UPDATE network_security_groups SET name = ?, description = ?, revision = revision + 1, updated_at = ?
            WHERE uuid = ? AND revision = ?
            """, [group.standard.name, group.standard.description, now, group.id, group.standard.revision])
        guard changed == 1 else { throw StoreError.stale("security group \(group.id)") }
    }

    /// Counts the revision up: a rule came or went.
    func touch(_ id: SecurityGroupID, at now: Int64, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "UPDATE network_security_groups SET revision = revision + 1, updated_at = ? WHERE uuid = ?", [now, id])
    }

    func delete(_ id: SecurityGroupID, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM network_tags WHERE resource_id = ?", [id])
        try transaction.execute("DELETE FROM network_security_group_rules WHERE group_id = ?", [id])
        try transaction.execute("DELETE FROM network_security_groups WHERE uuid = ?", [id])
    }

    func isUsed(_ id: SecurityGroupID, in reader: any SQLReader) throws -> Bool {
        try reader.first("SELECT 1 FROM network_port_groups WHERE group_id = ? LIMIT 1", [id]) { _ in true } ?? false
    }

    // MARK: Ports in groups

    func add(_ port: PortID, to groups: [SecurityGroupID], node: NodeID?, in transaction: any SQLTransaction) throws {
        for group in groups {
            try transaction.execute(
                """
                INSERT INTO network_port_groups (port_id, group_id, node_id) VALUES (?, ?, ?)
                ON CONFLICT (port_id, group_id) DO NOTHING
                """, [port, group, node])
        }
    }

    func remove(_ port: PortID, from groups: [SecurityGroupID], in transaction: any SQLTransaction) throws {
        for group in groups {
            try transaction.execute(
                "DELETE FROM network_port_groups WHERE port_id = ? AND group_id = ?", [port, group])
        }
    }

    func setNode(_ node: NodeID?, of port: PortID, in transaction: any SQLTransaction) throws {
        try transaction.execute("UPDATE network_port_groups SET node_id = ? WHERE port_id = ?", [node, port])
    }

    /// Whether a port on the node is in the group.
    func hasMember(_ group: SecurityGroupID, on node: NodeID, in reader: any SQLReader) throws -> Bool {
        try reader.first(
            "SELECT 1 FROM network_port_groups WHERE group_id = ? AND node_id = ? LIMIT 1", [group, node]
        ) { _ in true } ?? false
    }

    /// Those of the groups that a port on the node is in.
    func memberGroups(
        among groups: [SecurityGroupID], on node: NodeID, in reader: any SQLReader
    ) throws -> Set<SecurityGroupID> {
        Set(try groups.filter { try hasMember($0, on: node, in: reader) })
    }

    /// The addresses of all ports in the group, also those bound nowhere.
    func memberAddresses(_ group: SecurityGroupID, in reader: any SQLReader) throws -> [IPAddress] {
        try reader.query(
            """
            SELECT a.sort_key FROM network_port_groups m JOIN network_allocations a ON a.port_id = m.port_id
            WHERE m.group_id = ?
            """, [group]
        ) { try AddressKey.address($0.text(0)) }
    }

    /// The allowed address pairs of all ports in the group.
    func memberPairs(_ group: SecurityGroupID, in reader: any SQLReader) throws -> [PortRecord.Pair] {
        try reader.query(
            """
            SELECT p.pairs FROM network_port_groups m JOIN network_ports p ON p.uuid = m.port_id
            WHERE m.group_id = ? AND p.pairs <> ''
            """, [group]
        ) { ListColumn.pairs($0.text(0)) }.flatMap { $0 }
    }
}
