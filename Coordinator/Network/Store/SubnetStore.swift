import CoordinatorPlatform
import ProtocolModel

extension SubnetSpec.IPv6Mode: SQLWord {}
extension IPAddress.Family: SQLNumber {}

/// Without pools: ``SubnetStore/withPools(_:in:)`` adds them.
extension SubnetRecord: StandardRecord {
    static let blank = SubnetRecord(
        id: .blank, network: .blank, project: .blank, standard: .blank,
        prefix: .blank)
    static let table = RecordTable<Self>(
        "network_subnets", alias: "s", join: "JOIN network_networks n ON n.uuid = s.network_id")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("uuid", &id, .key)
        try column("network_id", &network, .fixed)
        try column.compact("project_id", &project, .fixed)
        try standard.columns(&column)
        var family = prefix.family
        try column("ip_version", &family, .fixed)
        try column("cidr", &prefix, .fixed)
        try column("gateway_ip", &gateway)
        try column("enable_dhcp", &isDHCPEnabled)
        try column("ipv6_address_mode", &addressMode, .fixed)
        try column("ipv6_ra_mode", &raMode, .fixed)
        try column.list("dns_nameservers", &dnsServers)
        try column.list("host_routes", &hostRoutes)
        try column("subnetpool_id", &subnetPool, .fixed)
        try column("n.external", &isNetworkExternal, .joined)
    }
}

/// Subnets with their allocation pools.
struct SubnetStore: Sendable {
    let table = SubnetRecord.table
    let pools = PoolRecord.table

    func find(_ id: SubnetID, in reader: any SQLReader) throws -> SubnetRecord? {
        try withPools(try table.find([id], in: reader), in: reader).first
    }

    /// In order of creation.
    func subnets(of network: NetworkID, in reader: any SQLReader) throws -> [SubnetRecord] {
        try withPools(try table.all(where: .equal("s.network_id", network), in: reader), in: reader)
    }

    /// Without pools, for specs.
    func subnets(of networks: [NetworkID], in reader: any SQLReader) throws -> [NetworkID: [SubnetRecord]] {
        let found = try reader.inPieces(networks) {
            try table.all(where: .in("s.network_id", Array($0)), in: reader)
        }
        return Dictionary(grouping: found, by: \.network)
    }

    /// Ids by network, in order of creation.
    func ids(of networks: [NetworkID], in reader: any SQLReader) throws -> [NetworkID: [SubnetID]] {
        try reader.grouped(networks, by: "network_id") {
            "SELECT network_id, uuid FROM network_subnets WHERE \($0) ORDER BY id"
        }
    }

    /// Subnets on other projects' networks; those on the own networks go with them.
    func strange(to project: ProjectID, in reader: any SQLReader) throws -> [SubnetRecord] {
        let elsewhere = SQLCondition("n.project_id <> ?", [project.compact])
        return try table.all(where: .all([.project(project, "s.project_id"), elsewhere]), in: reader)
    }

    func withPools(_ subnets: [SubnetRecord], in reader: any SQLReader) throws -> [SubnetRecord] {
        let found = try reader.inPieces(subnets.map(\.id)) {
            try pools.all(where: .in("subnet_id", Array($0)), in: reader)
        }
        let ranges = Dictionary(grouping: found, by: \.subnet).mapValues { $0.map(\.range) }
        return subnets.map { subnet in
            var subnet = subnet
            subnet.pools = ranges[subnet.id] ?? []
            return subnet
        }
    }

    func insert(_ subnet: SubnetRecord, in transaction: any SQLTransaction) throws {
        try table.insert(subnet, in: transaction)
        try insertPools(of: subnet, in: transaction)
    }

    func replacePools(of subnet: SubnetRecord, in transaction: any SQLTransaction) throws {
        try pools.delete(where: .equal("subnet_id", subnet.id), in: transaction)
        try insertPools(of: subnet, in: transaction)
    }

    private func insertPools(of subnet: SubnetRecord, in transaction: any SQLTransaction) throws {
        for range in subnet.pools {
            try pools.insert(
                PoolRecord(subnet: subnet.id, range: range, next: range.first), in: transaction)
        }
    }

    /// Its pools go with it, by the foreign key.
    func remove(_ id: SubnetID, in transaction: any SQLTransaction) throws { try table.remove(id, in: transaction) }
}
