import CoordinatorPlatform
import ProtocolModel

/// The `servers` table.
struct ServerStore: Sendable {
    private static let insertion =
        "INSERT INTO servers (" + ServerRow.columns.joined(separator: ", ") + ") VALUES ("
        + ServerRow.columns.map { _ in "?" }.joined(separator: ", ") + ") RETURNING id"
    private static let update =
        "UPDATE servers SET " + ServerRow.changing.map { $0 + " = ?" }.joined(separator: ", ")
        + " WHERE uuid = ? AND generation = ?"
    private static let byUUID = "SELECT \(ServerRow.selection) FROM servers WHERE uuid = ?"

    /// - Returns: The row's key, the server's number.
    func insert(_ server: ServerRecord, in transaction: any SQLTransaction) throws -> Int64 {
        try transaction.query(Self.insertion, ServerRow.values(server)) { $0.integer(0) }.first ?? 0
    }

    /// Writes what can change of a server, unless someone changed it since it was read.
    /// - Throws: ``StoreError/stale(_:)`` then.
    func save(_ server: inout ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        let seen = server.generation
        server.generation += 1
        server.updatedAt = now
        let changed = try transaction.execute(Self.update, ServerRow.changingValues(server) + [server.id, seen])
        guard changed == 1 else { throw StoreError.stale(server.id.text) }
    }

    func find(_ id: ServerID, in reader: any SQLReader) throws -> ServerRecord? {
        try reader.first(Self.byUUID, [id], ServerRow.read)
    }

    func find(_ ids: [ServerID], in reader: any SQLReader) throws -> [ServerRecord] {
        try chunks(ids).flatMap { ids in
            try reader.query(
                "SELECT \(ServerRow.selection) FROM servers WHERE uuid IN (\(marks(ids.count)))", ids, ServerRow.read)
        }
    }

    /// Servers whose task is overdue, the longest overdue first, at most 100.
    func overdue(at now: Int64, in reader: any SQLReader) throws -> [ServerRecord] {
        try reader.query(
            "SELECT \(ServerRow.selection) FROM servers WHERE task_deadline <= ? ORDER BY task_deadline LIMIT 100",
            [now],
            ServerRow.read)
    }

    /// Removes servers that were deleted before `time` and are gone from their hosts, with all that hangs on them; at
    /// most 100.
    func forget(deletedBefore time: Int64, in transaction: any SQLTransaction) throws {
        let ids: [ServerID] = try transaction.query(
            "SELECT uuid FROM servers WHERE deleted_at < ? AND node_id IS NULL ORDER BY deleted_at LIMIT 100", [time]
        ) { try $0.uuid(0) }
        for id in ids {
            for table in ["server_events", "server_decisions", "server_actions", "server_tags"] {
                try transaction.execute("DELETE FROM \(table) WHERE server_uuid = ?", [id])
            }
            try transaction.execute("DELETE FROM servers WHERE uuid = ?", [id])
        }
    }

    /// Everything on a node, also what users no longer see but the node has not confirmed gone.
    func on(_ node: NodeID, in reader: any SQLReader) throws -> [ServerRecord] {
        try reader.query(
            "SELECT \(ServerRow.selection) FROM servers WHERE node_id = ? ORDER BY id", [node], ServerRow.read)
    }

    /// Whether a server that the node shall have is made from the image with these bytes.
    func isImageUsed(_ sha512: String, on node: NodeID, in reader: any SQLReader) throws -> Bool {
        try reader.first(
            """
            SELECT 1 FROM servers WHERE node_id = ? AND image_sha512 = ? AND deleted_at IS NULL
                AND (task_state IS NULL OR task_state <> ?) LIMIT 1
            """, [node, sha512, TaskState.deleting.rawValue]
        ) { _ in true } ?? false
    }

    /// Who lives on each of the nodes, for administrators.
    func residents(of node: NodeID, in reader: any SQLReader) throws -> [(id: ServerID, name: String)] {
        try reader.query(
            "SELECT uuid, name FROM servers WHERE node_id = ? AND deleted_at IS NULL ORDER BY id", [node]
        ) { (id: try $0.uuid(0), name: $0.text(1)) }
    }

    func usage(of project: ProjectID, in reader: any SQLReader) throws -> QuotaUsage {
        try reader.first(
            """
            SELECT COUNT(*), COALESCE(SUM(vcpus), 0), COALESCE(SUM(memory_mib), 0) FROM servers
            WHERE project_id = ? AND deleted_at IS NULL
            """, [project]
        ) { QuotaUsage(instances: $0.int(0), cores: $0.int(1), memoryMiB: $0.int(2)) } ?? QuotaUsage()
    }

    /// What lives on each node: vCPUs, MiB, GiB and how many.
    func load(in reader: any SQLReader) throws -> [NodeID: NodeLoad] {
        let rows = try reader.query(
            """
            SELECT node_id, SUM(vcpus), SUM(memory_mib), SUM(root_gib + ephemeral_gib), COUNT(*),
                SUM(CASE WHEN task_state IS NULL THEN 0 ELSE 1 END)
            FROM servers WHERE node_id IS NOT NULL AND deleted_at IS NULL GROUP BY node_id
            """
        ) { row -> (NodeID, NodeLoad) in
            (
                try row.uuid(0),
                NodeLoad(
                    vcpus: row.int(1), memoryMiB: row.int(2), diskGiB: row.int(3), servers: row.int(4),
                    tasks: row.int(5))
            )
        }
        return Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }

    /// Servers of a period, for usage reports; of one project or of all.
    func living(
        from start: Int64, to end: Int64, project: ProjectID?, in reader: any SQLReader
    ) throws -> [ServerRecord] {
        let scope = project == nil ? "" : "AND project_id = ?"
        return try reader.query(
            """
            SELECT \(ServerRow.selection) FROM servers
            WHERE launched_at IS NOT NULL AND launched_at < ? AND (terminated_at IS NULL OR terminated_at > ?) \(scope)
            ORDER BY id LIMIT 10000
            """, [end, start] + (project.map { [$0] } ?? []), ServerRow.read)
    }
}

struct QuotaUsage: Sendable, Hashable {
    var instances = 0
    var cores = 0
    var memoryMiB = 0
}

struct NodeLoad: Sendable, Hashable {
    var vcpus = 0
    var memoryMiB = 0
    var diskGiB = 0
    var servers = 0
    var tasks = 0
}

/// `?, ?, ?`
func marks(_ count: Int) -> String { Array(repeating: "?", count: count).joined(separator: ", ") }

/// SQLite takes a limited number of arguments, and equal statements are prepared once: 1, 2, 4, ... arguments repeat.
func chunks<Element>(_ elements: [Element]) -> [[Element]] {
    stride(from: 0, to: elements.count, by: 500).map { Array(elements[$0..<min($0 + 500, elements.count)]) }
}
