import CoordinatorPlatform
import ProtocolModel

/// What the compute API shows of servers' ports, in one query each for a whole page of servers.
struct ComputeViewStore: Sendable {
    func ports(of servers: [ServerID], in reader: any SQLReader) throws -> [ServerID: [ServerPort]] {
        var result: [ServerID: [ServerPort]] = [:]
        for chunk in servers.chunks(of: InList.limit) {
            let list = InList(Array(chunk))
            _ = try reader.query(
                """
                SELECT p.device_id, p.uuid, p.network_id, n.name, n.mtu, p.mac, p.status, a.subnet_id, a.sort_key
                FROM network_ports p JOIN network_networks n ON n.uuid = p.network_id
                LEFT JOIN network_allocations a ON a.port_id = p.uuid
                WHERE p.device_id IN \(list.placeholders) ORDER BY p.device_id, p.position, p.id, a.id
                """, list.arguments
            ) { row in try append(row, to: &result) }
        }
        return result
    }

    private func append(_ row: any SQLRow, to result: inout [ServerID: [ServerPort]]) throws {
        let server: ServerID = try row.id(0)
        let id: PortID = try row.id(1)
        if result[server]?.last?.port != id {
            guard let mac = MACAddress(row.text(5)) else {
                throw StoreError.corrupt("'\(row.text(5))' is not a MAC address")
            }
            result[server, default: []].append(
                ServerPort(
                    port: id, network: try row.id(2), networkName: row.text(3), mtuBytes: row.int(4), mac: mac,
                    fixedIPs: [], floatingIPs: [], status: row.text(6)))
        }
        guard !row.isNull(8), let last = result[server]?.indices.last else { return }
        result[server]?[last].fixedIPs.append(
            PortSpec.FixedIP(subnet: try row.id(7), address: try AddressKey.address(row.text(8))))
    }

    func groupNames(of servers: [ServerID], in reader: any SQLReader) throws -> [ServerID: [String]] {
        var result: [ServerID: [String]] = [:]
        for chunk in servers.chunks(of: InList.limit) {
            let list = InList(Array(chunk))
            _ = try reader.query(
                """
                SELECT DISTINCT p.device_id, g.name FROM network_ports p
                JOIN network_port_groups m ON m.port_id = p.uuid
                JOIN network_security_groups g ON g.uuid = m.group_id
                WHERE p.device_id IN \(list.placeholders) ORDER BY g.name
                """, list.arguments
            ) { row in result[try row.id(0), default: []].append(row.text(1)) }
        }
        return result
    }

    func physicalNetworks(of server: ServerID, in reader: any SQLReader) throws -> Set<String> {
        Set(
            try reader.query(
                """
                SELECT DISTINCT n.physical_network FROM network_ports p JOIN network_networks n ON n.uuid = p.network_id
                WHERE p.device_id = ? AND n.physical_network IS NOT NULL
                """, [server]
            ) { $0.text(0) })
    }
}
