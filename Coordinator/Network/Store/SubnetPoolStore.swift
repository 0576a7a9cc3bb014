import CoordinatorPlatform
import ProtocolModel

extension IPPrefix: ListItem {
    init?(listItem: Substring) { self.init(listItem) }
    var listItem: String { description }
}

extension AddressScopeRecord: StandardRecord {
    static let blank = AddressScopeRecord(id: .blank, project: .blank, standard: .blank, family: .ipv4)
    static let table = RecordTable<Self>("network_address_scopes", alias: "a")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("uuid", &id, .key)
        try column.compact("project_id", &project, .fixed)
        try standard.columns(&column)
        try column("ip_version", &family, .fixed)
        try column("shared", &isShared)
    }
}

extension SubnetPoolRecord: StandardRecord {
    static let blank = SubnetPoolRecord(id: .blank, project: .blank, standard: .blank)
    static let table = RecordTable<Self>("network_subnet_pools", alias: "l")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("uuid", &id, .key)
        try column.compact("project_id", &project, .fixed)
        try standard.columns(&column)
        try column("ip_version", &family, .fixed)
        try column.list("prefixes", &prefixes)
        try column("min_prefixlen", &bounds.least)
        try column("max_prefixlen", &bounds.most)
        try column("default_prefixlen", &bounds.standard)
        try column("default_quota", &quota)
        try column("is_default", &isDefault)
        try column("shared", &isShared)
        try column("address_scope_id", &scope)
    }
}

/// Pools, and what subnets have of them.
struct SubnetPoolStore: Sendable {
    let table = SubnetPoolRecord.table
    let scopes = AddressScopeRecord.table

    /// Keeps others from cutting a subnet from the pool until the transaction has ended.
    func lock(_ id: SubnetPoolID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "UPDATE network_subnet_pools SET allocations = allocations + 1 WHERE uuid = ?", [id])
    }

    /// The prefixes of the pool's subnets.
    /// - Parameter project: Only of this one's subnets.
    func allocated(
        from pool: SubnetPoolID, by project: ProjectID? = nil, in reader: any SQLReader
    ) throws -> [IPPrefix] {
        var conditions = [SQLCondition.equal("s.subnetpool_id", pool)]
        if let project { conditions.append(.project(project, "s.project_id")) }
        return try SubnetRecord.table.all(where: .all(conditions), in: reader).map(\.prefix)
    }

    func isUsed(_ pool: SubnetPoolID, in reader: any SQLReader) throws -> Bool {
        try SubnetRecord.table.exists(where: .equal("s.subnetpool_id", pool), in: reader)
    }

    func pools(in scope: AddressScopeID, _ reader: any SQLReader) throws -> [SubnetPoolRecord] {
        try table.all(where: .equal("address_scope_id", scope), in: reader)
    }

    /// The family's default, where the viewer sees it.
    func standard(_ family: IPAddress.Family, viewer: Viewer, in reader: any SQLReader) throws -> SubnetPoolRecord? {
        try table.first(
            where: .all([.equal("ip_version", family), .equal("is_default", true), viewer.visibleSubnetPools]),
            in: reader)
    }

    func isStandardTaken(_ family: IPAddress.Family, in reader: any SQLReader) throws -> Bool {
        try table.exists(where: .all([.equal("ip_version", family), .equal("is_default", true)]), in: reader)
    }

    /// Whether a network with subnets of the pool has others of the family as well.
    func sharesNetworks(_ pool: SubnetPoolRecord, in reader: any SQLReader) throws -> Bool {
        let inNetworks = SQLCondition(
            "s.network_id IN (SELECT network_id FROM network_subnets WHERE subnetpool_id = ?)", [pool.id])
        let others = SQLCondition("(s.subnetpool_id IS NULL OR s.subnetpool_id <> ?)", [pool.id])
        return try SubnetRecord.table.exists(
            where: .all([inNetworks, .equal("s.ip_version", pool.family), others]), in: reader)
    }

    /// Routers with a port in a subnet of the pool.
    func routers(on pool: SubnetPoolID, in reader: any SQLReader) throws -> [RouterID] {
        try reader.query(
            """
            SELECT DISTINCT l.router_id FROM network_router_ports l JOIN network_allocations a ON a.port_id = l.port_id
            JOIN network_subnets s ON s.uuid = a.subnet_id WHERE s.subnetpool_id = ? ORDER BY l.router_id
            """, [pool]
        ) { try $0.id(0) }
    }

    /// The scopes of the networks' subnets.
    func scopes(
        of networks: [NetworkID], in reader: any SQLReader
    ) throws -> [NetworkID: [IPAddress.Family: AddressScopeID]] {
        let subnets = try reader.inPieces(networks) { piece in
            try SubnetRecord.table.all(
                where: .all([.in("s.network_id", Array(piece)), SQLCondition("s.subnetpool_id IS NOT NULL")]),
                in: reader)
        }
        let scopes = try scopes(of: Array(Set(subnets.compactMap(\.subnetPool))), in: reader)
        return subnets.reduce(into: [:]) { result, subnet in
            guard let scope = subnet.subnetPool.flatMap({ scopes[$0] }) else { return }
            result[subnet.network, default: [:]][subnet.prefix.family] = scope
        }
    }

    /// The scopes of pools that have one.
    func scopes(of pools: [SubnetPoolID], in reader: any SQLReader) throws -> [SubnetPoolID: AddressScopeID] {
        let found = try table.find(pools, in: reader).compactMap { pool in pool.scope.map { (pool.id, $0) } }
        return Dictionary(found) { first, _ in first }
    }

    /// Says of subnets that they are of the pool.
    func adopt(_ subnets: [SubnetID], into pool: SubnetPoolID, at now: Int64, in transaction: any SQLTransaction) throws
    {
        for subnet in subnets {
            try transaction.execute(
                "UPDATE network_subnets SET subnetpool_id = ?, revision = revision + 1, updated_at = ? WHERE uuid = ?",
                [pool, now, subnet])
        }
    }

    func owned(by project: ProjectID, in reader: any SQLReader) throws -> [SubnetPoolRecord] {
        try table.all(where: .project(project), in: reader)
    }

    func ownedScopes(by project: ProjectID, in reader: any SQLReader) throws -> [AddressScopeRecord] {
        try scopes.all(where: .project(project), in: reader)
    }
}
