import CoordinatorPlatform
import ProtocolModel

/// Where a node takes part in overlay networks, as it said last.
struct TunnelRecord: TableRecord, Hashable {
    var node: NodeID
    var address: IPAddress

    static let blank = TunnelRecord(node: .blank, address: .blank)
    static let table = RecordTable<Self>("network_tunnels")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("node_id", &node, .key)
        try column("address", &address)
    }
}

/// Overlay networks across nodes.
struct OverlayStore: Sendable {
    let tunnels = TunnelRecord.table

    func isTaken(_ vni: Int, in reader: any SQLReader) throws -> Bool {
        try NetworkRecord.table.exists(
            where: .all([.equal("network_type", "vxlan"), .equal("segmentation_id", vni)]), in: reader)
    }

    /// In ascending order.
    func taken(in reader: any SQLReader) throws -> [Int] {
        try reader.query(
            "SELECT segmentation_id FROM network_networks WHERE network_type = 'vxlan' ORDER BY segmentation_id"
        ) { $0.int(0) }
    }

    /// Overlay networks with ports on the node.
    func networks(on node: NodeID, in reader: any SQLReader) throws -> [NetworkID] {
        try reader.query(
            """
            SELECT DISTINCT p.network_id FROM network_ports p JOIN network_networks n ON n.uuid = p.network_id
            WHERE p.node_id = ? AND n.network_type = 'vxlan' ORDER BY p.network_id
            """, [node]
        ) { try $0.id(0) }
    }

    /// The network's ports on other nodes than this one, with those nodes' tunnel addresses, in the order of their MAC
    /// addresses. What is on a node without one cannot be reached.
    func remotePorts(
        of network: NetworkID, from node: NodeID, in reader: any SQLReader
    ) throws -> [NetworkSpec.RemotePort] {
        let rows = try reader.query(
            """
            SELECT p.mac, t.address, a.sort_key FROM network_ports p JOIN network_tunnels t ON t.node_id = p.node_id
            LEFT JOIN network_allocations a ON a.port_id = p.uuid
            WHERE p.network_id = ? AND p.node_id <> ? ORDER BY p.mac, a.id
            """, [network, node]
        ) { row in
            (mac: try MACAddress.read(row, 0), tunnel: try IPAddress.read(row, 1), key: try AddressKey?.read(row, 2))
        }
        return rows.reduce(into: []) { result, row in
            if result.last?.mac != row.mac {
                result.append(NetworkSpec.RemotePort(mac: row.mac, addresses: [], tunnel: row.tunnel))
            }
            if let key = row.key { result[result.count - 1].addresses.append(key.address) }
        }
    }
}
