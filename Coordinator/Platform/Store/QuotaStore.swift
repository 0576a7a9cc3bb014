import ProtocolModel

/// Limits that an administrator set for single projects, of all services.
public struct QuotaStore: Sendable {
    public static let migrations = [
        Migration(
            slice: "quota", number: 1, name: "limits",
            sql: """
                CREATE TABLE quota_limits (
                    id INTEGER PRIMARY KEY,
                    service TEXT NOT NULL,
                    project_id TEXT NOT NULL,
                    resource TEXT NOT NULL,
                    quota BIGINT NOT NULL,
                    UNIQUE (service, project_id, resource)
                );
                """)
    ]

    func limits(of project: ProjectID, service: String, in reader: any SQLReader) throws -> [String: Int] {
        let rows = try reader.query(
            "SELECT resource, quota FROM quota_limits WHERE service = ? AND project_id = ?", [service, project.compact]
        ) { ($0.text(0), $0.int(1)) }
        return Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }

    func set(
        _ limit: Int, of resource: String, service: String, project: ProjectID, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO quota_limits (service, project_id, resource, quota) VALUES (?, ?, ?, ?)
            ON CONFLICT (service, project_id, resource) DO UPDATE SET quota = excluded.quota
            """, [service, project.compact, resource, limit])
    }

    /// Limits of all projects follow a resource that is called otherwise now; those that have the new name give way.
    func rename(_ old: String, to new: String, service: String, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            DELETE FROM quota_limits WHERE service = ? AND resource = ?
            AND project_id IN (SELECT project_id FROM quota_limits WHERE service = ? AND resource = ?)
            """, [service, new, service, old])
        try transaction.execute(
            "UPDATE quota_limits SET resource = ? WHERE service = ? AND resource = ?", [new, service, old])
    }

    func reset(_ project: ProjectID, service: String, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "DELETE FROM quota_limits WHERE service = ? AND project_id = ?", [service, project.compact])
    }

    func projects(service: String, in reader: any SQLReader) throws -> [ProjectID] {
        try reader.query(
            "SELECT DISTINCT project_id FROM quota_limits WHERE service = ? ORDER BY project_id", [service]
        ) { try $0.id(0) }
    }
}
