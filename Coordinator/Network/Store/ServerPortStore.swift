import CoordinatorPlatform
import ProtocolModel

/// What the compute API shows of one address of a server's port.
private struct ServerPortRow: TableRecord {
    var server: ServerID
    var port: ServerPort
    var subnet: SubnetID?
    var address: AddressKey?

    static let blank = ServerPortRow(
        server: .blank,
        port: ServerPort(
            port: .blank, network: .blank, networkName: "", mtuBytes: 0, mac: MACAddress(bits: 0), fixedIPs: [],
            floatingIPs: [], status: ""))
    static let table = RecordTable<Self>(
        "network_ports", alias: "p",
        join: """
            JOIN network_networks n ON n.uuid = p.network_id LEFT JOIN network_allocations a ON a.port_id = p.uuid
            """)

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("server_id", &server)
        try column("uuid", &port.port, .key)
        try column("network_id", &port.network)
        try column("mac", &port.mac)
        try column("status", &port.status)
        try column("n.name", &port.networkName, .joined)
        try column("n.mtu", &port.mtuBytes, .joined)
        try column("a.subnet_id", &subnet, .joined)
        try column("a.sort_key", &address, .joined)
    }
}

/// What the compute API shows of servers' ports, in one query each for a whole page of servers.
struct ServerPortStore: Sendable {
    /// In interface order.
    func ports(of servers: [ServerID], in reader: any SQLReader) throws -> [ServerID: [ServerPort]] {
        let rows = try reader.inPieces(servers) { piece in
            try ServerPortRow.table.all(
                where: .in("p.server_id", Array(piece)), order: "p.server_id, p.position, p.id, a.id", in: reader)
        }
        let outside = try FloatingIPStore().addresses(of: rows.map(\.port.port), in: reader)
        return rows.reduce(into: [:]) { result, row in
            var ports = result[row.server] ?? []
            if ports.last?.port != row.port.port {
                var port = row.port
                port.floatingIPs = outside[port.port] ?? []
                ports.append(port)
            }
            if let subnet = row.subnet, let key = row.address {
                ports[ports.count - 1].fixedIPs.append(PortSpec.FixedIP(subnet: subnet, address: key.address))
            }
            result[row.server] = ports
        }
    }

    func groupNames(of servers: [ServerID], in reader: any SQLReader) throws -> [ServerID: [String]] {
        try reader.grouped(servers, by: "p.server_id") {
            """
            SELECT DISTINCT p.server_id, g.name FROM network_ports p JOIN network_port_groups m ON m.port_id = p.uuid
            JOIN network_security_groups g ON g.uuid = m.group_id WHERE \($0) ORDER BY g.name
            """
        }
    }

    func physicalNetworks(of server: ServerID, in reader: any SQLReader) throws -> Set<String> {
        let networks = try PortRecord.table.all(where: .equal("server_id", server), in: reader).map(\.network)
        return Set(try NetworkRecord.table.find(networks, in: reader).compactMap(\.physicalNetwork))
    }
}
