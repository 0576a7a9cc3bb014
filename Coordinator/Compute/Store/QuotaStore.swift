import CoordinatorPlatform
import ProtocolModel

/// Limits that an administrator set for single projects.
struct QuotaStore: Sendable {
    func limits(of project: String, in reader: any SQLReader) throws -> [String: Int64] {
        let rows = try reader.query(
            "SELECT resource, hard_limit FROM compute_quotas WHERE project_id = ?", [project]
        ) { ($0.text(0), $0.integer(1)) }
        return Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }

    func set(_ limit: Int64, for resource: String, project: String, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO compute_quotas (project_id, resource, hard_limit) VALUES (?, ?, ?)
            ON CONFLICT (project_id, resource) DO UPDATE SET hard_limit = excluded.hard_limit
            """, [project, resource, limit])
    }

    func clear(_ project: String, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM compute_quotas WHERE project_id = ?", [project])
    }
}
