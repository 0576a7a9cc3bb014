import CoordinatorPlatform
import ProtocolModel

extension NetworkRecord: StandardRecord {
    static let blank = NetworkRecord(
        id: .blank, project: .blank, standard: .blank, mtuBytes: 0, attachment: .local)
    static let table = RecordTable<Self>("network_networks", alias: "n")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("uuid", &id, .key)
        try column.compact("project_id", &project, .fixed)
        try standard.columns(&column)
        try column("admin_state_up", &isAdminUp)
        try column("shared", &isShared)
        try column("external", &isExternal)
        try column("is_default", &isDefault)
        try column("port_security", &isPortSecurityEnabled)
        try column("mtu", &mtuBytes)
        try column("qos_policy_id", &qosPolicy)
        var (type, physical, tag) = (networkType, physicalNetwork, segmentationID)
        try column("network_type", &type, .fixed)
        try column("physical_network", &physical, .fixed)
        try column("segmentation_id", &tag, .fixed)
        guard column.isReading else { return }
        switch type {
        case "flat": attachment = .flat(physicalNetwork: physical ?? "")
        case "vlan": attachment = .vlan(physicalNetwork: physical ?? "", tag: tag ?? 0)
        case "vxlan": attachment = .vxlan(vni: tag ?? 0)
        default: attachment = .local
        }
    }
}

extension RecordTable<NetworkRecord> {
    /// The project's own networks and the shared ones, oldest first; at most `limit`.
    func usable(by project: ProjectID, limit: Int, in reader: any SQLReader) throws -> [NetworkRecord] {
        let viewer = Viewer(isAdmin: false, project: project)
        return try all(where: .any([.project(project), viewer.sharedNetworks]), limit: limit, in: reader)
    }

    func owned(by project: ProjectID, in reader: any SQLReader) throws -> [NetworkRecord] {
        try all(where: .project(project), in: reader)
    }

    /// VLAN tags that networks have on a physical network.
    func tags(on physicalNetwork: String, in reader: any SQLReader) throws -> Set<Int> {
        Set(try all(where: on(physicalNetwork, "vlan"), in: reader).compactMap(\.segmentationID))
    }

    func isFlatTaken(_ physicalNetwork: String, in reader: any SQLReader) throws -> Bool {
        try exists(where: on(physicalNetwork, "flat"), in: reader)
    }

    private func on(_ physicalNetwork: String, _ type: String) -> SQLCondition {
        .all([.equal("network_type", type), .equal("physical_network", physicalNetwork)])
    }
}
