import CoordinatorPlatform
import ProtocolModel

/// An allocation pool with the hint where the search for a free address begins.
struct PoolRecord: TableRecord {
    var number: Int64 = 0
    var subnet: SubnetID
    var range: AddressRange
    var next: IPAddress

    static let blank = PoolRecord(subnet: .blank, range: AddressRange(first: .blank, last: .blank), next: .blank)
    static let table = RecordTable<Self>("network_pools")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try column("subnet_id", &subnet, .fixed)
        try column.key("first_key", &range.first)
        try column.key("last_key", &range.last)
        try column.key("next_key", &next)
    }
}

/// An address that a port has.
struct AllocationRecord: TableRecord {
    var network: NetworkID
    var subnet: SubnetID
    var port: PortID
    var address: IPAddress

    static let blank = AllocationRecord(network: .blank, subnet: .blank, port: .blank, address: .blank)
    static let table = RecordTable<Self>("network_allocations")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("network_id", &network, .fixed)
        try column("subnet_id", &subnet, .fixed)
        try column("port_id", &port, .fixed)
        try column("address", &address, .fixed)
        try column.key("sort_key", &address)
    }
}

/// Which port has which address. The unique index over network and address decides all races.
struct AddressStore: Sendable {
    let table = AllocationRecord.table

    func pools(of subnet: SubnetID, in reader: any SQLReader) throws -> [PoolRecord] {
        try PoolRecord.table.all(where: .equal("subnet_id", subnet), in: reader)
    }

    func setNext(_ next: IPAddress, of pool: PoolRecord, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "UPDATE network_pools SET next_key = ? WHERE id = ?", [AddressKey(next), pool.number])
    }

    /// The lowest addresses in use in the range, in order, at most `limit`.
    func used(_ range: AddressRange, of subnet: SubnetID, limit: Int, in reader: any SQLReader) throws -> [IPAddress] {
        try reader.query(
            """
            SELECT sort_key FROM network_allocations WHERE subnet_id = ? AND sort_key >= ? AND sort_key <= ?
            ORDER BY sort_key LIMIT ?
            """, [subnet, AddressKey(range.first), AddressKey(range.last), limit]
        ) { try AddressKey.read($0, 0).address }
    }

    /// - Returns: `false`, and nothing changes, when another port of the network has the address.
    func take(
        _ address: IPAddress, subnet: SubnetID, network: NetworkID, port: PortID, in transaction: any SQLTransaction
    ) throws -> Bool {
        try table.insert(
            AllocationRecord(network: network, subnet: subnet, port: port, address: address),
            unlessTaken: "network_id, sort_key", in: transaction)
    }

    func giveBack(_ address: IPAddress, of port: PortID, in transaction: any SQLTransaction) throws {
        try table.delete(
            where: .all([.equal("port_id", port), .equal("sort_key", AddressKey(address))]), in: transaction)
    }

    func giveBackAll(in subnet: SubnetID, in transaction: any SQLTransaction) throws {
        try table.delete(where: .equal("subnet_id", subnet), in: transaction)
    }

    func fixedIPs(of ports: [PortID], in reader: any SQLReader) throws -> [PortID: [PortSpec.FixedIP]] {
        let found = try reader.inPieces(ports) { try table.all(where: .in("port_id", Array($0)), in: reader) }
        return Dictionary(grouping: found, by: \.port).mapValues { allocations in
            allocations.map { PortSpec.FixedIP(subnet: $0.subnet, address: $0.address) }
        }
    }

    /// Whether a port other than those for DHCP, which go with the subnet, has an address in it.
    func isUsed(_ subnet: SubnetID, in reader: any SQLReader) throws -> Bool {
        try reader.exists(
            "network_allocations a JOIN network_ports p ON p.uuid = a.port_id",
            SQLCondition(
                "a.subnet_id = ? AND (p.device_owner <> ? OR p.server_id IS NOT NULL)",
                [subnet, PortRecord.dhcpOwner]))
    }

    func ports(in subnet: SubnetID, in reader: any SQLReader) throws -> [PortID] {
        try table.all(where: .equal("subnet_id", subnet), in: reader).map(\.port)
    }

    /// How many addresses of the subnet are in use.
    func count(in subnet: SubnetID, in reader: any SQLReader) throws -> Int {
        try table.count(where: .equal("subnet_id", subnet), in: reader)
    }
}
