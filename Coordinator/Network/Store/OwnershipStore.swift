import CoordinatorPlatform
import ProtocolModel

/// What a project owns, for its removal.
struct OwnershipStore: Sendable {
    func networks(of project: ProjectID, in reader: any SQLReader) throws -> [NetworkID] {
        try reader.query("SELECT uuid FROM network_networks WHERE project_id = ? ORDER BY id", [project.compact]) {
            try $0.id(0)
        }
    }

    /// Subnets on other projects' networks; those on the own networks go with them.
    func strangeSubnets(of project: ProjectID, in reader: any SQLReader) throws -> [SubnetID] {
        try reader.query(
            """
            SELECT s.uuid FROM network_subnets s JOIN network_networks n ON n.uuid = s.network_id
            WHERE s.project_id = ? AND n.project_id <> ? ORDER BY s.id
            """, [project.compact, project.compact]
        ) { try $0.id(0) }
    }

    /// Ports that outlive servers: a server's own go with it, the service's with its network.
    func ports(of project: ProjectID, in reader: any SQLReader) throws -> [PortID] {
        try reader.query(
            """
            SELECT uuid FROM network_ports WHERE project_id = ? AND servers_own = 0 AND device_owner <> ? ORDER BY id
            """, [project.compact, PortRecord.dhcpOwner]
        ) { try $0.id(0) }
    }

    /// Groups that somebody made; the default group is nobody's work.
    func groups(of project: ProjectID, in reader: any SQLReader) throws -> [SecurityGroupID] {
        try reader.query(
            "SELECT uuid FROM network_security_groups WHERE project_id = ? AND is_default = 0 ORDER BY id",
            [project.compact]
        ) { try $0.id(0) }
    }

    func ports(in group: SecurityGroupID, _ reader: any SQLReader) throws -> [PortID] {
        try reader.query("SELECT port_id FROM network_port_groups WHERE group_id = ?", [group]) { try $0.id(0) }
    }
}
