import CoordinatorPlatform
import ProtocolModel

/// The tables of subnets and their allocation pools.
struct SubnetStore: Sendable {
    static let columns = """
        s.uuid, s.network_id, s.project_id, s.name, s.description, s.revision, s.created_at, s.updated_at, s.cidr,
        s.gateway_ip, s.enable_dhcp, s.ipv6_address_mode, s.ipv6_ra_mode, s.dns_nameservers, s.host_routes,
        (SELECT e.external FROM network_networks e WHERE e.uuid = s.network_id)
        """

    /// Without pools: ``withPools(_:in:)`` adds them.
    static func record(_ row: any SQLRow) throws -> SubnetRecord {
        guard let prefix = IPPrefix(row.text(8)) else {
            throw StoreError.corrupt("'\(row.text(8))' is not an address prefix")
        }
        return SubnetRecord(
            id: try row.id(0), network: try row.id(1), project: try row.id(2),
            standard: Standard(
                name: row.text(3), description: row.text(4), revision: row.int(5), createdAt: row.integer(6),
                updatedAt: row.integer(7)),
            prefix: prefix, gateway: row.isNull(9) ? nil : try row.address(9), isDHCPEnabled: row.bool(10),
            addressMode: row.optionalText(11).flatMap { SubnetSpec.IPv6Mode(rawValue: $0) },
            raMode: row.optionalText(12).flatMap { SubnetSpec.IPv6Mode(rawValue: $0) },
            dnsServers: ListColumn.addresses(row.text(13)), hostRoutes: ListColumn.routes(row.text(14)),
            isNetworkExternal: row.bool(15))
    }

    func find(_ id: SubnetID, in reader: any SQLReader) throws -> SubnetRecord? {
        let found = try reader.query(
            "SELECT \(Self.columns) FROM network_subnets s WHERE s.uuid = ?", [id], Self.record)
        return try withPools(found, in: reader).first
    }

    /// In order of creation.
    func subnets(of network: NetworkID, in reader: any SQLReader) throws -> [SubnetRecord] {
        let found = try reader.query(
            "SELECT \(Self.columns) FROM network_subnets s WHERE s.network_id = ? ORDER BY s.id", [network], Self.record
        )
        return try withPools(found, in: reader)
    }

    /// Without pools, for specs.
    func subnets(of networks: [NetworkID], in reader: any SQLReader) throws -> [NetworkID: [SubnetRecord]] {
        let list = InList(networks)
        let found = try reader.query(
            "SELECT \(Self.columns) FROM network_subnets s WHERE s.network_id IN \(list.placeholders) ORDER BY s.id",
            list.arguments, Self.record)
        return Dictionary(grouping: found, by: \.network)
    }

    /// Ids by network, in order of creation.
    func ids(of networks: [NetworkID], in reader: any SQLReader) throws -> [NetworkID: [SubnetID]] {
        var result: [NetworkID: [SubnetID]] = [:]
        for chunk in networks.chunks(of: InList.limit) {
            let list = InList(Array(chunk))
            _ = try reader.query(
                "SELECT network_id, uuid FROM network_subnets WHERE network_id IN \(list.placeholders) ORDER BY id",
                list.arguments
            ) { row in result[try row.id(0), default: []].append(try row.id(1)) }
        }
        return result
    }

    func withPools(_ subnets: [SubnetRecord], in reader: any SQLReader) throws -> [SubnetRecord] {
        var pools: [SubnetID: [AddressRange]] = [:]
        for chunk in subnets.map(\.id).chunks(of: InList.limit) {
            let list = InList(Array(chunk))
            _ = try reader.query(
                """
                SELECT subnet_id, first_key, last_key FROM network_pools WHERE subnet_id IN \(list.placeholders)
                ORDER BY id
                """, list.arguments
            ) { row in
                let range = AddressRange(
                    first: try AddressKey.address(row.text(1)), last: try AddressKey.address(row.text(2)))
                pools[try row.id(0), default: []].append(range)
            }
        }
        return subnets.map { subnet in
            var subnet = subnet
            subnet.pools = pools[subnet.id] ?? []
            return subnet
        }
    }

    func insert(_ subnet: SubnetRecord, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO network_subnets (uuid, network_id, project_id, name, description, revision, created_at,
                updated_at, ip_version, cidr, gateway_ip, enable_dhcp, ipv6_address_mode, ipv6_ra_mode, dns_nameservers,
                host_routes)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                subnet.id, subnet.network, subnet.project.compact, subnet.standard.name, subnet.standard.description,
                subnet.standard.revision, subnet.standard.createdAt, subnet.standard.updatedAt,
                subnet.prefix.family.rawValue, subnet.prefix, subnet.gateway, subnet.isDHCPEnabled,
                subnet.addressMode?.rawValue, subnet.raMode?.rawValue, ListColumn.text(subnet.dnsServers),
                ListColumn.text(subnet.hostRoutes)
            ])
        try insertPools(of: subnet, in: transaction)
    }

    /// - Throws: ``StoreError/stale(_:)`` when `subnet` is not the newest revision.
    func update(_ subnet: SubnetRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        let changed = try transaction.execute(
            """
            UPDATE network_subnets SET name = ?, description = ?, gateway_ip = ?, enable_dhcp = ?, dns_nameservers = ?,
                host_routes = ?, revision = revision + 1, updated_at = ?
            WHERE uuid = ? AND revision = ?
            """,
            [
                subnet.standard.name, subnet.standard.description, subnet.gateway, subnet.isDHCPEnabled,
                ListColumn.text(subnet.dnsServers), ListColumn.text(subnet.hostRoutes), now, subnet.id,
                subnet.standard.revision
            ])
        guard changed == 1 else { throw StoreError.stale("subnet \(subnet.id)") }
    }

    func replacePools(of subnet: SubnetRecord, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM network_pools WHERE subnet_id = ?", [subnet.id])
        try insertPools(of: subnet, in: transaction)
    }

    private func insertPools(of subnet: SubnetRecord, in transaction: any SQLTransaction) throws {
        for pool in subnet.pools {
            try transaction.execute(
                "INSERT INTO network_pools (subnet_id, first_key, last_key, next_key) VALUES (?, ?, ?, ?)",
                [subnet.id, AddressKey.text(pool.first), AddressKey.text(pool.last), AddressKey.text(pool.first)])
        }
    }

    func delete(_ id: SubnetID, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM network_tags WHERE resource_id = ?", [id])
        try transaction.execute("DELETE FROM network_pools WHERE subnet_id = ?", [id])
        try transaction.execute("DELETE FROM network_subnets WHERE uuid = ?", [id])
    }
}
