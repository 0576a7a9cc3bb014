import CoordinatorPlatform
import ProtocolModel

/// Which port has which address. The unique index over network and address decides all races.
struct AddressStore: Sendable {
    /// A pool with the hint where the search for a free address begins.
    struct Pool {
        var key: Int64
        var range: AddressRange
        var next: IPAddress
    }

    func pools(of subnet: SubnetID, in reader: any SQLReader) throws -> [Pool] {
        try reader.query(
            "SELECT id, first_key, last_key, next_key FROM network_pools WHERE subnet_id = ? ORDER BY id", [subnet]
        ) { row in
            Pool(
                key: row.integer(0),
                range: AddressRange(
                    first: try AddressKey.address(row.text(1)), last: try AddressKey.address(row.text(2))),
                next: try AddressKey.address(row.text(3)))
        }
    }

    func setNext(_ next: IPAddress, of pool: Pool, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "UPDATE network_pools SET next_key = ? WHERE id = ?", [AddressKey.text(next), pool.key])
    }

    /// The lowest addresses in use in the range, in order, at most `limit`.
    func used(_ range: AddressRange, of subnet: SubnetID, limit: Int, in reader: any SQLReader) throws -> [IPAddress] {
        try reader.query(
            """
            SELECT sort_key FROM network_allocations WHERE subnet_id = ? AND sort_key >= ? AND sort_key <= ?
            ORDER BY sort_key LIMIT ?
            """, [subnet, AddressKey.text(range.first), AddressKey.text(range.last), limit]
        ) { try AddressKey.address($0.text(0)) }
    }

    /// - Returns: `false`, and nothing changes, when another port of the network has the address.
    func take(
        _ address: IPAddress, subnet: SubnetID, network: NetworkID, port: PortID, in transaction: any SQLTransaction
    ) throws -> Bool {
        try transaction.execute(
            """
            INSERT INTO network_allocations (network_id, subnet_id, port_id, address, sort_key) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (network_id, sort_key) DO NOTHING
            """, [network, subnet, port, address, AddressKey.text(address)]) == 1
    }

    func giveBack(_ address: IPAddress, of port: PortID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "DELETE FROM network_allocations WHERE port_id = ? AND sort_key = ?", [port, AddressKey.text(address)])
    }

    func fixedIPs(of ports: [PortID], in reader: any SQLReader) throws -> [PortID: [PortSpec.FixedIP]] {
        var result: [PortID: [PortSpec.FixedIP]] = [:]
        for chunk in ports.chunks(of: InList.limit) {
            let list = InList(Array(chunk))
            _ = try reader.query(
                """
                SELECT port_id, subnet_id, sort_key FROM network_allocations WHERE port_id IN \(list.placeholders)
                ORDER BY id
                """, list.arguments
            ) { row in
                result[try row.id(0), default: []].append(
                    PortSpec.FixedIP(subnet: try row.id(1), address: try AddressKey.address(row.text(2))))
            }
        }
        return result
    }

    /// A port of a device owner other than these that has an address in the subnet.
    func holder(in subnet: SubnetID, exceptOwner owner: String, in reader: any SQLReader) throws -> PortID? {
        try reader.first(
            """
            SELECT a.port_id FROM network_allocations a JOIN network_ports p ON p.uuid = a.port_id
            WHERE a.subnet_id = ? AND p.device_owner <> ? LIMIT 1
            """, [subnet, owner]
        ) { try $0.id(0) }
    }

    func ports(in subnet: SubnetID, in reader: any SQLReader) throws -> [PortID] {
        try reader.query("SELECT port_id FROM network_allocations WHERE subnet_id = ? ORDER BY id", [subnet]) {
            try $0.id(0)
        }
    }

    func giveBackAll(in subnet: SubnetID, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM network_allocations WHERE subnet_id = ?", [subnet])
    }

    /// How many addresses of the subnet are in use.
    func count(in subnet: SubnetID, in reader: any SQLReader) throws -> Int {
        try reader.count("SELECT COUNT(*) FROM network_allocations WHERE subnet_id = ?", [subnet])
    }
}
