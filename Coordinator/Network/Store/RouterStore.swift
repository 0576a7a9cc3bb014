import CoordinatorPlatform
import ProtocolModel

extension String: ListItem {
    /// Words with blanks in them keep those as a character that no word has.
    init?(listItem: Substring) { self = String(listItem).replacing("\u{1F}", with: " ") }
    var listItem: String { replacing(" ", with: "\u{1F}") }
}

/// Without the gateway's addresses and the zone, which ``RouterStore/complete(_:in:)`` adds.
extension RouterRecord: StandardRecord {
    static let blank = RouterRecord(id: .blank, project: .blank, standard: .blank)
    static let table = RecordTable<Self>("network_routers", alias: "r")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("uuid", &id, .key)
        try column.compact("project_id", &project, .fixed)
        try standard.columns(&column)
        try column("admin_state_up", &isAdminUp)
        try column("gateway_port_id", &gatewayPort)
        try column("gateway_network_id", &gatewayNetwork)
        try column("enable_snat", &isSNATEnabled)
        try column.list("routes", &routes)
        try column.list("zone_hints", &zoneHints)
    }
}

extension RouterPlace: TableRecord {
    static let blank = RouterPlace(router: .blank, node: .blank)
    static let table = RecordTable<Self>("network_router_places")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("router_id", &router, .key)
        try column("node_id", &node)
        try column("planned", &planned)
        try column("is_ready", &isReady)
        try column("last_error", &lastError)
        try column("generation", &generation, .generation)
    }
}

extension RouterPortRecord.Kind: SQLWord {}

extension RouterPortRecord: TableRecord {
    static let blank = RouterPortRecord(port: .blank, router: .blank, kind: .interface)
    static let table = RecordTable<Self>("network_router_ports")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("port_id", &port, .key)
        try column("router_id", &router, .fixed)
        try column("kind", &kind, .fixed)
    }
}

/// Routers, their ports and their places.
struct RouterStore: Sendable {
    let table = RouterRecord.table
    let places = RouterPlace.table
    let links = RouterPortRecord.table
    private let ports = PortStore()
    private let addresses = AddressStore()

    func find(_ id: RouterID, in reader: any SQLReader) throws -> RouterRecord? { try table.find(id, in: reader) }

    /// Adds the gateways' addresses.
    func complete(_ routers: [RouterRecord], in reader: any SQLReader) throws -> [RouterRecord] {
        let fixedIPs = try addresses.fixedIPs(of: routers.compactMap(\.gatewayPort), in: reader)
        return routers.map { router in
            var router = router
            router.gatewayIPs = router.gatewayPort.flatMap { fixedIPs[$0] } ?? []
            return router
        }
    }

    /// What router the port is of, and as what.
    func link(of port: PortID, in reader: any SQLReader) throws -> RouterPortRecord? {
        try links.find(port, in: reader)
    }

    /// The router's ports with their addresses, in the order in which they came.
    func ports(
        of router: RouterID, _ kind: RouterPortRecord.Kind? = nil, in reader: any SQLReader
    ) throws -> [PortRecord] {
        let kinds = kind.map { SQLCondition.equal("kind", $0) } ?? .always
        let found = try links.all(where: .all([.equal("router_id", router), kinds]), in: reader).map(\.port)
        let ports = Dictionary(
            try ports.find(found, in: reader).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        return found.compactMap { ports[$0] }
    }

    /// Routers with an interface that has an address in the subnet.
    func routers(on subnet: SubnetID, in reader: any SQLReader) throws -> [RouterID] {
        try reader.query(
            """
            SELECT DISTINCT l.router_id FROM network_router_ports l JOIN network_allocations a ON a.port_id = l.port_id
            WHERE a.subnet_id = ? AND l.kind = ? ORDER BY l.router_id
            """, [subnet, RouterPortRecord.Kind.interface]
        ) { try $0.id(0) }
    }

    /// Routers with any port that has an address in the subnet.
    func routers(addressedIn subnet: SubnetID, _ reader: any SQLReader) throws -> [RouterID] {
        try reader.query(
            """
            SELECT DISTINCT l.router_id FROM network_router_ports l JOIN network_allocations a ON a.port_id = l.port_id
            WHERE a.subnet_id = ? ORDER BY l.router_id
            """, [subnet]
        ) { try $0.id(0) }
    }

    /// Routers with any port in the network.
    func routers(in network: NetworkID, _ reader: any SQLReader) throws -> [RouterID] {
        try reader.query(
            """
            SELECT DISTINCT l.router_id FROM network_router_ports l JOIN network_ports p ON p.uuid = l.port_id
            WHERE p.network_id = ? ORDER BY l.router_id
            """, [network]
        ) { try $0.id(0) }
    }

    /// The port of a router's interface that has this address.
    func interface(
        with address: IPAddress, of subnet: SubnetID, in reader: any SQLReader
    ) throws -> PortID? {
        try reader.first(
            """
            SELECT l.port_id FROM network_router_ports l JOIN network_allocations a ON a.port_id = l.port_id
            WHERE a.subnet_id = ? AND a.sort_key = ? AND l.kind = ?
            """, [subnet, AddressKey(address), RouterPortRecord.Kind.interface]
        ) { try $0.id(0) }
    }

    /// Routers between the subnet and the external network, with the address that each has in the subnet.
    func routers(
        between subnet: SubnetID, and external: NetworkID, in reader: any SQLReader
    ) throws -> [(router: RouterID, address: IPAddress)] {
        try reader.query(
            """
            SELECT l.router_id, a.sort_key FROM network_router_ports l
            JOIN network_allocations a ON a.port_id = l.port_id JOIN network_routers r ON r.uuid = l.router_id
            WHERE a.subnet_id = ? AND l.kind = ? AND r.gateway_network_id = ? ORDER BY l.id
            """, [subnet, RouterPortRecord.Kind.interface, external]
        ) { (router: try $0.id(0), address: try AddressKey.read($0, 1).address) }
    }

    func hasGateway(into network: NetworkID, in reader: any SQLReader) throws -> Bool {
        try table.exists(where: .equal("gateway_network_id", network), in: reader)
    }

    func owned(by project: ProjectID, in reader: any SQLReader) throws -> [RouterRecord] {
        try table.all(where: .project(project), in: reader)
    }

    // MARK: Places

    /// How many routers each node has.
    func loads(in reader: any SQLReader) throws -> [NodeID: Int] {
        let rows = try reader.query("SELECT node_id, COUNT(*) FROM network_router_places GROUP BY node_id") { row in
            (try NodeID.read(row, 0), try Int.read(row, 1))
        }
        return Dictionary(rows, uniquingKeysWith: +)
    }

    func routers(on node: NodeID, in reader: any SQLReader) throws -> [RouterID] {
        try places.all(where: .equal("node_id", node), in: reader).map(\.router)
    }

    /// Routers that their node has not made yet as they are now, and all of some nodes', in order of their rows.
    /// - Parameter number: The row to begin behind.
    func unsettled(
        after number: Int64, on nodes: [NodeID], limit: Int, in reader: any SQLReader
    ) throws -> [(number: Int64, router: RouterID)] {
        let condition = SQLCondition.any([.equal("is_ready", false), .in("node_id", nodes)])
        return try reader.query(
            "SELECT router_id, id FROM network_router_places WHERE id > ? AND (\(condition.sql)) ORDER BY id LIMIT ?",
            [number] + condition.arguments + [limit], Self.numbered)
    }

    /// Routers with ports that are on no node, in order of their rows.
    /// - Parameter number: The row to begin behind.
    func waiting(
        after number: Int64, limit: Int, in reader: any SQLReader
    ) throws -> [(number: Int64, router: RouterID)] {
        try reader.query(
            """
            SELECT r.uuid, r.id FROM network_routers r
            WHERE r.id > ? AND NOT EXISTS (SELECT 1 FROM network_router_places s WHERE s.router_id = r.uuid)
            AND EXISTS (SELECT 1 FROM network_router_ports l WHERE l.router_id = r.uuid) ORDER BY r.id LIMIT ?
            """, [number, limit], Self.numbered)
    }

    @Sendable private static func numbered(_ row: any SQLRow) throws -> (number: Int64, router: RouterID) {
        (number: try Int64.read(row, 1), router: try RouterID.read(row, 0))
    }

    /// Counts the revision up: an interface came or went.
    func touch(_ id: RouterID, at now: Int64, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "UPDATE network_routers SET revision = revision + 1, updated_at = ? WHERE uuid = ?", [now, id])
    }

    /// The statuses of the router's ports, as far as they are on the node.
    func setPortStatuses(
        _ status: PortRecord.Status, of router: RouterID, on node: NodeID, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            UPDATE network_ports SET status = ?, revision = revision + 1, updated_at = ?
            WHERE node_id = ? AND status <> ? AND uuid IN (SELECT port_id FROM network_router_ports WHERE router_id = ?)
            """, [status, now, node, status, router])
    }
}
