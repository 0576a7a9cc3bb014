import CoordinatorPlatform
import ProtocolModel

/// The table of ports. Addresses and groups are read along by ``complete(_:in:)``.
struct PortStore: Sendable {
    static let columns = """
        p.uuid, p.network_id, p.project_id, p.name, p.description, p.revision, p.created_at, p.updated_at, p.mac,
        p.admin_state_up, p.status, p.device_id, p.device_owner, p.port_security, p.pairs, p.vnic_type, p.host, p.node_id,
        p.position, p.servers_own, p.hostname, p.last_error
        """

    let addresses = AddressStore()

    static func record(_ row: any SQLRow) throws -> PortRecord {
        guard let mac = MACAddress(row.text(8)) else {
            throw StoreError.corrupt("'\(row.text(8))' is not a MAC address")
        }
        return PortRecord(
            id: try row.id(0), network: try row.id(1), project: try row.id(2),
            standard: Standard(
                name: row.text(3), description: row.text(4), revision: row.int(5), createdAt: row.integer(6),
                updatedAt: row.integer(7)),
            mac: mac, isAdminUp: row.bool(9), status: PortRecord.Status(rawValue: row.text(10)) ?? .down,
            deviceID: row.text(11), deviceOwner: row.text(12), isSecurityEnabled: row.bool(13),
            pairs: ListColumn.pairs(row.text(14)), vnicType: row.text(15), host: row.text(16),
            node: try row.optionalID(17), position: row.int(18), isServersOwn: row.bool(19), hostname: row.text(20),
            lastError: row.optionalText(21))
    }

    func find(_ id: PortID, in reader: any SQLReader) throws -> PortRecord? { try find([id], in: reader).first }

    func find(_ ids: [PortID], in reader: any SQLReader) throws -> [PortRecord] {
        let list = InList(ids)
        return try complete(
            try reader.query(
                "SELECT \(Self.columns) FROM network_ports p WHERE p.uuid IN \(list.placeholders)", list.arguments,
                Self.record),
            in: reader)
    }

    /// In interface order.
    func ports(ofDevice device: String, in reader: any SQLReader) throws -> [PortRecord] {
        try complete(
            try reader.query(
                "SELECT \(Self.columns) FROM network_ports p WHERE p.device_id = ? ORDER BY p.position, p.id", [device],
                Self.record),
            in: reader)
    }

    func servicePort(of network: NetworkID, in reader: any SQLReader) throws -> PortRecord? {
        try complete(
            try reader.query(
                "SELECT \(Self.columns) FROM network_ports p WHERE p.network_id = ? AND p.device_owner = ? LIMIT 1",
                [network, PortRecord.dhcpOwner], Self.record),
            in: reader
        ).first
    }

    /// Adds the fixed IPs and the groups.
    func complete(_ ports: [PortRecord], in reader: any SQLReader) throws -> [PortRecord] {
        guard !ports.isEmpty else { return [] }
        let fixedIPs = try addresses.fixedIPs(of: ports.map(\.id), in: reader)
        let groups = try groups(of: ports.map(\.id), in: reader)
        return ports.map { port in
            var port = port
            port.fixedIPs = fixedIPs[port.id] ?? []
            port.groups = groups[port.id] ?? []
            return port
        }
    }

    func groups(of ports: [PortID], in reader: any SQLReader) throws -> [PortID: [SecurityGroupID]] {
        var result: [PortID: [SecurityGroupID]] = [:]
        for chunk in ports.chunks(of: InList.limit) {
            let list = InList(Array(chunk))
            _ = try reader.query(
                "SELECT port_id, group_id FROM network_port_groups WHERE port_id IN \(list.placeholders) ORDER BY group_id",
                list.arguments
            ) { row in result[try row.id(0), default: []].append(try row.id(1)) }
        }
        return result
    }

    /// Addresses and groups are written by their own functions.
    /// - Returns: `false`, and nothing is written, when the network has another port with this MAC address.
    func insert(_ port: PortRecord, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.execute(
            """
            INSERT INTO network_ports (uuid, network_id, project_id, name, description, revision, created_at, updated_at,
                mac, admin_state_up, status, device_id, device_owner, port_security, pairs, vnic_type, host, node_id,
                position, servers_own, hostname)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (network_id, mac) DO NOTHING
            """,
            [
                port.id, port.network, port.project.compact, port.standard.name, port.standard.description,
                port.standard.revision, port.standard.createdAt, port.standard.updatedAt, port.mac, port.isAdminUp,
                port.status.rawValue, port.deviceID, port.deviceOwner, port.isSecurityEnabled,
                ListColumn.text(port.pairs),
                port.vnicType, port.host, port.node, port.position, port.isServersOwn, port.hostname
            ]) == 1
    }

    /// Writes all that can change but status, addresses and groups.
    /// - Throws: ``StoreError/stale(_:)`` when `port` is not the newest revision.
    func update(_ port: PortRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        let changed = try transaction.execute(
            """
            UPDATE network_ports SET name = ?, description = ?, mac = ?, admin_state_up = ?, status = ?, device_id = ?,
                device_owner = ?, port_security = ?, pairs = ?, vnic_type = ?, host = ?, node_id = ?, position = ?,
                servers_own = ?, hostname = ?, revision = revision + 1, updated_at = ?
            WHERE uuid = ? AND revision = ?
            """,
            [
                port.standard.name, port.standard.description, port.mac, port.isAdminUp, port.status.rawValue,
                port.deviceID, port.deviceOwner, port.isSecurityEnabled, ListColumn.text(port.pairs), port.vnicType,
                port.host, port.node, port.position, port.isServersOwn, port.hostname, now, port.id,
                port.standard.revision
            ])
        guard changed == 1 else { throw StoreError.stale("port \(port.id)") }
    }

    func delete(_ id: PortID, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM network_tags WHERE resource_id = ?", [id])
        try transaction.execute("DELETE FROM network_allocations WHERE port_id = ?", [id])
        try transaction.execute("DELETE FROM network_port_groups WHERE port_id = ?", [id])
        try transaction.execute("DELETE FROM network_ports WHERE uuid = ?", [id])
    }

    func isMACTaken(_ mac: MACAddress, on network: NetworkID, in reader: any SQLReader) throws -> Bool {
        try reader.count("SELECT COUNT(*) FROM network_ports WHERE network_id = ? AND mac = ?", [network, mac]) > 0
    }

    /// What the agent said, unless that is known already or the port has gone elsewhere.
    func setStatus(
        _ status: PortRecord.Status, error: String?, of port: PortID, on node: NodeID, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            UPDATE network_ports SET status = ?, last_error = ?, revision = revision + 1, updated_at = ?
            WHERE uuid = ? AND node_id = ? AND (status <> ? OR COALESCE(last_error, '') <> ?)
            """, [status.rawValue, error, now, port, node, status.rawValue, error ?? ""])
    }

    /// Ports of a node that is no more are bound nowhere.
    func unbindAll(from node: NodeID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            UPDATE network_ports SET node_id = NULL, host = '', status = ?, revision = revision + 1 WHERE node_id = ?
            """, [PortRecord.Status.down.rawValue, node])
        try transaction.execute("UPDATE network_port_groups SET node_id = NULL WHERE node_id = ?", [node])
    }

    /// Whether the node has a port of the network.
    func hasPort(of network: NetworkID, on node: NodeID, in reader: any SQLReader) throws -> Bool {
        try reader.first(
            "SELECT 1 FROM network_ports WHERE node_id = ? AND network_id = ? LIMIT 1", [node, network]
        ) { _ in true } ?? false
    }

    /// A port that keeps the network from being deleted: any but the network's own service port.
    func user(of network: NetworkID, in reader: any SQLReader) throws -> PortID? {
        try reader.first(
            "SELECT uuid FROM network_ports WHERE network_id = ? AND device_owner <> ? LIMIT 1",
            [network, PortRecord.dhcpOwner]
        ) { try $0.id(0) }
    }

    /// Projects other than this one that have ports or subnets in the network.
    func hasOtherProjects(in network: NetworkID, than project: ProjectID, reader: any SQLReader) throws -> Bool {
        try reader.first(
            "SELECT 1 FROM network_ports WHERE network_id = ? AND project_id <> ? LIMIT 1", [network, project.compact]
        ) { _ in true } ?? false
    }

    /// Ports by network, for auto-addresses of a new subnet.
    func ports(of network: NetworkID, in reader: any SQLReader) throws -> [PortRecord] {
        try complete(
            try reader.query(
                "SELECT \(Self.columns) FROM network_ports p WHERE p.network_id = ? ORDER BY p.id", [network],
                Self.record),
            in: reader)
    }
}
