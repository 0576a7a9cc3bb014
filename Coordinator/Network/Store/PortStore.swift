import CoordinatorPlatform
import ProtocolModel

extension PortRecord.Status: SQLWord {}

/// Without addresses and groups: ``PortStore/complete(_:in:)`` adds them.
extension PortRecord: StandardRecord {
    static let blank = PortRecord(
        id: .blank, network: .blank, project: .blank, standard: .blank, mac: MACAddress(bits: 0))
    static let table = RecordTable<Self>("network_ports", alias: "p")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("uuid", &id, .key)
        try column("network_id", &network, .fixed)
        try column.compact("project_id", &project, .fixed)
        try standard.columns(&column)
        try column("mac", &mac)
        try column("admin_state_up", &isAdminUp)
        try column("status", &status)
        try column("device_id", &deviceID)
        try column("device_owner", &deviceOwner)
        try column("port_security", &isSecurityEnabled)
        try column.list("pairs", &pairs)
        try column("vnic_type", &vnicType)
        try column("host", &host)
        try column("node_id", &node)
        try column("position", &position)
        try column("servers_own", &isServersOwn)
        try column("hostname", &hostname)
        try column("last_error", &lastError)
        try column("server_id", &server)
        try column("service", &isService, .fixed)
        try column("qos_policy_id", &qosPolicy)
        try column.list("dhcp_options", &dhcpOptions)
    }
}

/// Ports with their addresses and groups, which are written by their own functions.
struct PortStore: Sendable {
    let table = PortRecord.table
    private let addresses = AddressStore()

    func find(_ id: PortID, in reader: any SQLReader) throws -> PortRecord? { try find([id], in: reader).first }

    func find(_ ids: [PortID], in reader: any SQLReader) throws -> [PortRecord] {
        try complete(try table.find(ids, in: reader), in: reader)
    }

    private func ports(
        where condition: SQLCondition, order: String? = "id", limit: Int? = nil, in reader: any SQLReader
    ) throws -> [PortRecord] {
        try complete(try table.all(where: condition, order: order, limit: limit, in: reader), in: reader)
    }

    /// In interface order.
    func ports(of server: ServerID, in reader: any SQLReader) throws -> [PortRecord] {
        try ports(where: .equal("server_id", server), order: "p.position, p.id", in: reader)
    }

    /// Whether a server of a project other than this one has this id, as far as its ports tell.
    func isServer(_ server: ServerID, ofOtherThan project: ProjectID, in reader: any SQLReader) throws -> Bool {
        let others = SQLCondition("project_id <> ?", [project.compact])
        return try table.exists(where: .all([.equal("server_id", server), others]), in: reader)
    }

    func ports(of network: NetworkID, in reader: any SQLReader) throws -> [PortRecord] {
        try ports(where: .equal("network_id", network), in: reader)
    }

    /// Ports that outlive servers: a server's own go with it, the service's with its network.
    func ports(outlivingServersOf project: ProjectID, in reader: any SQLReader) throws -> [PortRecord] {
        try ports(where: .all([.project(project), .equal("servers_own", false), Self.notService]), in: reader)
    }

    func servicePort(of network: NetworkID, in reader: any SQLReader) throws -> PortRecord? {
        try ports(
            where: .all([.equal("network_id", network), .equal("service", true)]), order: nil, limit: 1, in: reader
        ).first
    }

    static let notService = SQLCondition.equal("service", false)

    /// Adds the fixed IPs and the groups.
    func complete(_ ports: [PortRecord], in reader: any SQLReader) throws -> [PortRecord] {
        let fixedIPs = try addresses.fixedIPs(of: ports.map(\.id), in: reader)
        let groups: [PortID: [SecurityGroupID]] = try reader.grouped(ports.map(\.id), by: "port_id") {
            "SELECT port_id, group_id FROM network_port_groups WHERE \($0) ORDER BY group_id"
        }
        return ports.map { port in
            var port = port
            port.fixedIPs = fixedIPs[port.id] ?? []
            port.groups = groups[port.id] ?? []
            return port
        }
    }

    /// - Returns: `false`, and nothing is written, when the network has another port with this MAC address.
    func insert(_ port: PortRecord, in transaction: any SQLTransaction) throws -> Bool {
        try table.insert(port, unlessTaken: "network_id, mac", in: transaction)
    }

    /// Addresses and memberships go with it, by the foreign keys.
    func remove(_ id: PortID, in transaction: any SQLTransaction) throws { try table.remove(id, in: transaction) }

    func isMACTaken(_ mac: MACAddress, on network: NetworkID, in reader: any SQLReader) throws -> Bool {
        try table.exists(where: .all([.equal("network_id", network), .equal("mac", mac)]), in: reader)
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
            """, [status, error, now, port, node, status, error ?? ""])
    }

    /// Ports of a node that is no more are bound nowhere.
    func unbindAll(from node: NodeID, at now: Int64, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            UPDATE network_ports SET node_id = NULL, host = '', status = ?, revision = revision + 1, updated_at = ?
            WHERE node_id = ?
            """, [PortRecord.Status.down, now, node])
        try transaction.execute("UPDATE network_port_groups SET node_id = NULL WHERE node_id = ?", [node])
    }

    /// Whether the node has a port of the network.
    func hasPort(of network: NetworkID, on node: NodeID, in reader: any SQLReader) throws -> Bool {
        try table.exists(where: .all([.equal("node_id", node), .equal("network_id", network)]), in: reader)
    }

    /// Whether a server on the node has a port of the network.
    func hasGuest(of network: NetworkID, on node: NodeID, in reader: any SQLReader) throws -> Bool {
        let isGuests = SQLCondition("server_id IS NOT NULL", [])
        return try table.exists(
            where: .all([.equal("node_id", node), .equal("network_id", network), isGuests]), in: reader)
    }

    /// The nodes that have ports of networks that are on one node each, these ports not counted.
    func nodes(inLocal networks: [NetworkID], except own: [PortID], in reader: any SQLReader) throws -> [NodeID] {
        let bound = SQLCondition("node_id IS NOT NULL")
        return try reader.inPieces(networks) { piece in
            try table.all(where: .all([.in("network_id", Array(piece)), bound]), in: reader)
        }.filter { !own.contains($0.id) }.compactMap(\.node)
    }

    /// A port that keeps the network from being deleted: any but those for DHCP, which go with it.
    func user(of network: NetworkID, in reader: any SQLReader) throws -> PortID? {
        let holds = SQLCondition("(device_owner <> ? OR server_id IS NOT NULL)", [PortRecord.dhcpOwner])
        return try table.first(where: .all([.equal("network_id", network), holds]), in: reader)?.id
    }
}
