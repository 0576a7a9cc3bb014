import CoordinatorPlatform
import ProtocolModel

/// The `servers` table.
package struct ServerStore: Sendable {
    private let table = ServerRecord.table
    package let tags = TagSet(table: "server_tags", owner: "server_uuid", isSorted: false)

    package init() {}

    /// - Returns: The row's key, the server's number.
    package func insert(_ server: ServerRecord, in transaction: any SQLTransaction) throws -> Int64 {
        try table.insert(server, in: transaction)
    }

    /// Writes what can change of a server, unless someone changed it since it was read.
    /// - Throws: ``StoreError/stale(_:)`` then.
    package func save(_ server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        server.updatedAt = now
        try table.update(server, in: transaction)
        server.generation += 1
    }

    package func find(_ id: ServerID, in reader: any SQLReader) throws -> ServerRecord? {
        try table.find(id, in: reader)
    }

    package func find(_ ids: [ServerID], in reader: any SQLReader) throws -> [ServerRecord] {
        try table.find(ids, in: reader)
    }

    /// Servers whose task is overdue, the longest overdue first, at most 100.
    package func overdue(
        at now: Int64, skipping skipped: Int = 0, in reader: any SQLReader
    ) throws -> ReadableRows<ServerRecord> {
        try table.readable(
            where: SQLCondition("task_deadline <= ?", [now]), order: "task_deadline, id", limit: 100,
            skipping: skipped, in: reader)
    }

    /// Shelved before a moment and on a host still, the oldest first; at most 100.
    package func shelved(before time: Int64, in reader: any SQLReader) throws -> [ServerRecord] {
        try table.all(
            where: SQLCondition(
                "shelved_at <= ? AND vm_state = ? AND task_state IS NULL AND deleted_at IS NULL",
                [time, VMState.shelved]), order: "shelved_at", limit: 100, in: reader)
    }

    /// Soft-deleted before a moment, the oldest first; at most 100.
    package func reclaimable(before time: Int64, in reader: any SQLReader) throws -> [ServerRecord] {
        try table.all(
            where: SQLCondition(
                "soft_deleted_at <= ? AND vm_state = ? AND task_state IS NULL AND deleted_at IS NULL",
                [time, VMState.softDeleted]), order: "soft_deleted_at", limit: 100, in: reader)
    }

    /// Removes servers that were deleted before `time` and are gone from their hosts, with what only they have; at most
    /// 100.
    package func removeRows(deletedBefore time: Int64, in transaction: any SQLTransaction) throws -> [ServerID] {
        let gone = SQLCondition("deleted_at < ? AND node_id IS NULL", [time])
        let ids = try table.all(where: gone, order: "deleted_at", limit: 100, in: transaction).map(\.id)
        let owner = SQLCondition.in("server_uuid", ids)
        for name in ["server_decisions", "server_tags", "server_devices", "server_group_members"] {
            try transaction.execute("DELETE FROM \(name) WHERE \(owner.sql)", owner.arguments)
        }
        try ServerMigrationStore().forget(ids, in: transaction)
        try table.delete(where: .in("uuid", ids), in: transaction)
        return ids
    }

    /// Everything on a node, also what users no longer see but the node has not confirmed gone.
    package func on(_ node: NodeID, in reader: any SQLReader) throws -> [ServerRecord] {
        try table.all(where: .equal("node_id", node), in: reader)
    }

    /// Whether a server that the node shall have is made from the image with these bytes.
    func isImageUsed(_ sha512: String, on node: NodeID, in reader: any SQLReader) throws -> Bool {
        let made = SQLCondition(
            """
            node_id = ? AND (image_sha512 = ? OR disk_sha512 = ? OR rescue_sha512 = ?) AND deleted_at IS NULL
            """, [node, sha512, sha512, sha512])
        return try table.exists(where: .all([made, Self.isWanted]), in: reader)
    }

    /// Servers of a project that nobody has asked to go.
    package func owned(by project: ProjectID, in reader: any SQLReader) throws -> [ServerRecord] {
        try table.all(where: .all([Self.living(project), Self.isWanted]), in: reader)
    }

    package func countOwned(by project: ProjectID, in reader: any SQLReader) throws -> Int {
        try table.count(where: .all([Self.living(project), Self.isWanted]), in: reader)
    }

    private static func living(_ project: ProjectID) -> SQLCondition {
        SQLCondition("project_id = ? AND deleted_at IS NULL", [project])
    }
    private static let isWanted = SQLCondition("task_state IS NULL OR task_state <> ?", [TaskState.deleting])

    package func countGuests(on node: NodeID, in reader: any SQLReader) throws -> Int {
        try table.count(where: SQLCondition("node_id = ? AND deleted_at IS NULL", [node]), in: reader)
    }

    /// Who lives on the node, for administrators.
    package func residents(of node: NodeID, in reader: any SQLReader) throws -> [(id: ServerID, name: String)] {
        try reader.query(
            "SELECT uuid, name FROM servers WHERE node_id = ? AND deleted_at IS NULL ORDER BY id", [node]
        ) { (id: try $0.id(0), name: $0.text(1)) }
    }

    /// What a project has, by the names of its limits. Deleted servers count again from the moment on that they are on
    /// their way back.
    package func usage(of project: ProjectID, in reader: any SQLReader) throws -> [String: Int] {
        let living = Self.living(project)
        return try reader.first(
            """
            SELECT COUNT(*), COALESCE(SUM(vcpus), 0), COALESCE(SUM(memory_mib), 0) FROM servers
            WHERE \(living.sql) AND (vm_state <> ? OR task_state = ?)
            """, living.arguments + [VMState.softDeleted, TaskState.restoring] as [any SQLArgument]
        ) { ["instances": $0.int(0), "cores": $0.int(1), "ram": $0.int(2)] } ?? [:]
    }

    /// What lives on each node: vCPUs, MiB, GiB and how many.
    package func load(in reader: any SQLReader) throws -> [NodeID: NodeLoad] {
        let rows = try reader.query(
            """
            SELECT node_id, SUM(vcpus), SUM(memory_mib), SUM(ephemeral_gib + CASE WHEN is_volume_backed = 1 THEN 0 ELSE root_gib END),
                COUNT(*),
                SUM(CASE WHEN task_state IS NULL THEN 0 ELSE 1 END)
            FROM servers WHERE node_id IS NOT NULL AND deleted_at IS NULL GROUP BY node_id
            """
        ) { row -> (NodeID, NodeLoad) in
            let load = NodeLoad(
                vcpus: row.int(1), memoryMiB: row.int(2), diskGiB: row.int(3), servers: row.int(4), tasks: row.int(5))
            return (try row.id(0), load)
        }
        return Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }

    /// Servers of a period, for usage reports; of one project or of all.
    package func living(
        from start: Int64, to end: Int64, project: ProjectID?, in reader: any SQLReader
    ) throws -> [ServerRecord] {
        let ran = SQLCondition(
            "launched_at IS NOT NULL AND launched_at < ? AND (terminated_at IS NULL OR terminated_at > ?)",
            [end, start])
        let scope = project.map { [SQLCondition.equal("project_id", $0)] } ?? []
        return try table.all(where: .all([ran] + scope), limit: 10_000, in: reader)
    }
}

package struct NodeLoad: Sendable, Hashable {
    package var vcpus = 0
    package var memoryMiB = 0
    package var diskGiB = 0
    package var servers = 0
    package var tasks = 0

    package init(vcpus: Int = 0, memoryMiB: Int = 0, diskGiB: Int = 0, servers: Int = 0, tasks: Int = 0) {
        self.vcpus = vcpus
        self.memoryMiB = memoryMiB
        self.diskGiB = diskGiB
        self.servers = servers
        self.tasks = tasks
    }
}
