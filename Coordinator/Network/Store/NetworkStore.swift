import CoordinatorPlatform
import ProtocolModel

/// The table of networks.
struct NetworkStore: Sendable {
    static let columns = """
        n.uuid, n.project_id, n.name, n.description, n.revision, n.created_at, n.updated_at, n.admin_state_up, n.shared,
        n.external, n.is_default, n.port_security, n.mtu, n.network_type, n.physical_network, n.segmentation_id
        """

    static func record(_ row: any SQLRow) throws -> NetworkRecord {
        let attachment: NetworkSpec.Attachment =
            switch row.text(13) {
            case "flat": .flat(physicalNetwork: row.text(14))
            case "vlan": .vlan(physicalNetwork: row.text(14), tag: row.int(15))
            default: .local
            }
        return NetworkRecord(
            id: try row.id(0), project: try row.id(1),
            standard: Standard(
                name: row.text(2), description: row.text(3), revision: row.int(4), createdAt: row.integer(5),
                updatedAt: row.integer(6)),
            isAdminUp: row.bool(7), isShared: row.bool(8), isExternal: row.bool(9), isDefault: row.bool(10),
            isPortSecurityEnabled: row.bool(11), mtuBytes: row.int(12), attachment: attachment)
    }

    func find(_ id: NetworkID, in reader: any SQLReader) throws -> NetworkRecord? {
        try reader.first("SELECT \(Self.columns) FROM network_networks n WHERE n.uuid = ?", [id], Self.record)
    }

    func find(_ ids: [NetworkID], in reader: any SQLReader) throws -> [NetworkRecord] {
        let list = InList(ids)
        return try reader.query(
            "SELECT \(Self.columns) FROM network_networks n WHERE n.uuid IN \(list.placeholders)", list.arguments,
            Self.record)
    }

    /// The project's own networks and the shared ones, oldest first; at most `limit`.
    func usable(by project: ProjectID, limit: Int, in reader: any SQLReader) throws -> [NetworkRecord] {
        try reader.query(
            """
            SELECT \(Self.columns) FROM network_networks n WHERE n.project_id = ? OR n.shared = 1
            ORDER BY n.id LIMIT ?
            """, [project.compact, limit], Self.record)
    }

    func insert(_ network: NetworkRecord, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO network_networks (uuid, project_id, name, description, revision, created_at, updated_at,
                admin_state_up, shared, external, is_default, port_security, mtu, network_type, physical_network,
                segmentation_id)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                network.id, network.project.compact, network.standard.name, network.standard.description,
                network.standard.revision, network.standard.createdAt, network.standard.updatedAt, network.isAdminUp,
                network.isShared, network.isExternal, network.isDefault, network.isPortSecurityEnabled,
                network.mtuBytes,
                network.networkType, network.physicalNetwork, network.segmentationID
            ])
    }

    /// Writes all that can change and counts the revision up.
    /// - Throws: ``StoreError/stale(_:)`` when `network` is not the newest revision.
    func update(_ network: NetworkRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        let changed = try transaction.execute(
            """
            UPDATE network_networks SET name = ?, description = ?, admin_state_up = ?, shared = ?, external = ?,
                is_default = ?, port_security = ?, mtu = ?, revision = revision + 1, updated_at = ?
            WHERE uuid = ? AND revision = ?
            """,
            [
                network.standard.name, network.standard.description, network.isAdminUp, network.isShared,
                network.isExternal, network.isDefault, network.isPortSecurityEnabled, network.mtuBytes, now, network.id,
                network.standard.revision
            ])
        guard changed == 1 else { throw StoreError.stale("network \(network.id)") }
    }

    func delete(_ id: NetworkID, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM network_tags WHERE resource_id = ?", [id])
        try transaction.execute("DELETE FROM network_networks WHERE uuid = ?", [id])
    }

    /// VLAN tags that networks have on a physical network.
    func tags(on physicalNetwork: String, in reader: any SQLReader) throws -> Set<Int> {
        Set(
            try reader.query(
                "SELECT segmentation_id FROM network_networks WHERE network_type = 'vlan' AND physical_network = ?",
                [physicalNetwork]
            ) { $0.int(0) })
    }

    func isFlatTaken(_ physicalNetwork: String, in reader: any SQLReader) throws -> Bool {
        try reader.count(
            "SELECT COUNT(*) FROM network_networks WHERE network_type = 'flat' AND physical_network = ?",
            [physicalNetwork]) > 0
    }
}
