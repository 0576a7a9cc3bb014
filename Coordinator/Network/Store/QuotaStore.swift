import CoordinatorPlatform
import ProtocolModel

/// Limits that differ from the defaults, and what projects use.
struct QuotaStore: Sendable {
    func limits(of project: ProjectID, in reader: any SQLReader) throws -> [String: Int] {
        var result: [String: Int] = [:]
        _ = try reader.query("SELECT resource, quota FROM network_quotas WHERE project_id = ?", [project.compact]) {
            result[$0.text(0)] = $0.int(1)
        }
        return result
    }

    /// Projects with own limits.
    func all(in reader: any SQLReader) throws -> [ProjectID: [String: Int]] {
        var result: [ProjectID: [String: Int]] = [:]
        _ = try reader.query("SELECT project_id, resource, quota FROM network_quotas") { row in
            result[try row.id(0), default: [:]][row.text(1)] = row.int(2)
        }
        return result
    }

    func set(_ limit: Int, of resource: String, project: ProjectID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO network_quotas (project_id, resource, quota) VALUES (?, ?, ?)
            ON CONFLICT (project_id, resource) DO UPDATE SET quota = excluded.quota
            """, [project.compact, resource, limit])
    }

    func reset(_ project: ProjectID, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM network_quotas WHERE project_id = ?", [project.compact])
    }

    /// How many the project has. The service ports that Skerry makes itself do not count.
    func used(_ resource: QuotaResource, by project: ProjectID, in reader: any SQLReader) throws -> Int {
        switch resource {
        case .network:
            try reader.count("SELECT COUNT(*) FROM network_networks WHERE project_id = ?", [project.compact])
        case .subnet:
            try reader.count("SELECT COUNT(*) FROM network_subnets WHERE project_id = ?", [project.compact])
        case .port:
            try reader.count(
                "SELECT COUNT(*) FROM network_ports WHERE project_id = ? AND device_owner <> ?",
                [project.compact, PortRecord.dhcpOwner])
        case .securityGroup:
            try reader.count("SELECT COUNT(*) FROM network_security_groups WHERE project_id = ?", [project.compact])
        case .securityGroupRule:
            try reader.count(
                "SELECT COUNT(*) FROM network_security_group_rules WHERE project_id = ?", [project.compact])
        }
    }
}
