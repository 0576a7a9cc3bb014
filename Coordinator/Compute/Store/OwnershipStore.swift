import CoordinatorPlatform
import ProtocolModel

/// What projects and users own, for their removal.
struct OwnershipStore: Sendable {
    /// Servers that nobody has asked to go.
    func servers(of project: ProjectID, in reader: any SQLReader) throws -> [ServerID] {
        try reader.query(
            """
            SELECT uuid FROM servers WHERE project_id = ? AND deleted_at IS NULL
                AND (task_state IS NULL OR task_state <> ?) ORDER BY id
            """, [project, TaskState.deleting.rawValue]
        ) { try $0.uuid(0) }
    }

    func removeFlavorAccess(of project: ProjectID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "DELETE FROM flavor_access WHERE project_id IN (?, ?)", [project.text, project.compact])
    }

    func removeKeypairs(of user: UserID, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM keypairs WHERE user_id = ?", [user])
    }
}
