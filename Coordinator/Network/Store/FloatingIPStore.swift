import CoordinatorPlatform
import ProtocolModel

extension FloatingIPRecord.Status: SQLWord {}

/// Without the port's details and the port forwardings, which ``FloatingIPStore/complete(_:in:)`` adds.
extension FloatingIPRecord: StandardRecord {
    static let blank = FloatingIPRecord(
        id: .blank, project: .blank, standard: .blank, network: .blank, keeper: .blank, address: .blank)
    static let table = RecordTable<Self>("network_floating_ips", alias: "f")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("uuid", &id, .key)
        try column.compact("project_id", &project, .fixed)
        try standard.columns(&column, hasName: false)
        try column("network_id", &network, .fixed)
        try column("keeper_id", &keeper, .fixed)
        try column("address", &address, .fixed)
        try column("port_id", &port)
        try column("fixed_address", &fixedAddress)
        try column("router_id", &router)
        try column("status", &status)
    }
}

struct FloatingIPStore: Sendable {
    let table = FloatingIPRecord.table

    /// Adds what is shown of the ports, and the port forwardings.
    func complete(_ found: [FloatingIPRecord], in reader: any SQLReader) throws -> [FloatingIPRecord] {
        let ports = Dictionary(
            try PortRecord.table.find(found.compactMap(\.port), in: reader).map { ($0.id, $0) },
            uniquingKeysWith: { first, _ in first })
        let forwardings = Dictionary(
            grouping: try PortForwardingStore().ofFloatingIPs(found.map(\.id), in: reader), by: \.floatingIP)
        return found.map { item in
            var item = item
            item.forwardings = forwardings[item.id] ?? []
            item.details = item.port.flatMap { ports[$0] }.map { port in
                FloatingIPRecord.PortDetails(
                    name: port.standard.name, network: port.network, mac: port.mac, isAdminUp: port.isAdminUp,
                    status: port.status, deviceID: port.deviceID, deviceOwner: port.deviceOwner)
            }
            return item
        }
    }

    func ofPort(_ port: PortID, in reader: any SQLReader) throws -> [FloatingIPRecord] {
        try table.all(where: .equal("f.port_id", port), in: reader)
    }

    func ofRouter(_ router: RouterID, in reader: any SQLReader) throws -> [FloatingIPRecord] {
        try table.all(where: .equal("f.router_id", router), in: reader)
    }

    /// Whether floating IPs go by the router.
    func needs(_ router: RouterID, in reader: any SQLReader) throws -> Bool {
        try table.exists(where: .equal("f.router_id", router), in: reader)
    }

    /// Whether a floating IP's address is this port's.
    func keeps(_ port: PortID, in reader: any SQLReader) throws -> Bool {
        try table.exists(where: .equal("f.keeper_id", port), in: reader)
    }

    func owned(by project: ProjectID, in reader: any SQLReader) throws -> [FloatingIPRecord] {
        try table.all(where: .project(project, "f.project_id"), in: reader)
    }

    /// Those of an external network that stand for nothing.
    func idle(of network: NetworkID, in reader: any SQLReader) throws -> [FloatingIPRecord] {
        let isIdle = SQLCondition("f.port_id IS NULL AND f.router_id IS NULL")
        return try table.all(where: .all([.equal("f.network_id", network), isIdle]), in: reader)
    }

    func isTaken(
        _ address: IPAddress, of port: PortID, on network: NetworkID, in reader: any SQLReader
    ) throws -> Bool {
        try table.exists(
            where: .all([
                .equal("f.port_id", port), .equal("f.fixed_address", address), .equal("f.network_id", network)
            ]), in: reader)
    }

    /// Outside addresses by port, for the compute API.
    func addresses(of ports: [PortID], in reader: any SQLReader) throws -> [PortID: [IPAddress]] {
        try reader.grouped(ports, by: "port_id") {
            "SELECT port_id, address FROM network_floating_ips WHERE \($0) ORDER BY id"
        }
    }

    func setStatuses(
        _ status: FloatingIPRecord.Status, of router: RouterID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            UPDATE network_floating_ips SET status = ?, revision = revision + 1, updated_at = ?
            WHERE router_id = ? AND status <> ?
            """, [status, now, router, status])
    }
}
