import CoordinatorPlatform
import CoordinatorPlacement
import ProtocolModel

/// What was done with servers, step by step, and why hosts were chosen.
struct ActionStore: Sendable {
    private static let selection =
        """
        SELECT id, server_uuid, action, request_id, user_id, project_id, started_at, updated_at, message
        FROM server_actions
        """

    func begin(
        _ name: String, server: ServerID, requestID: String, user: UserID, project: ProjectID, at now: Int64,
        in transaction: any SQLTransaction
    ) throws -> Int64 {
        try transaction.query(
            """
            INSERT INTO server_actions
                (server_uuid, action, request_id, user_id, project_id, started_at, updated_at, message)
            VALUES (?, ?, ?, ?, ?, ?, ?, NULL) RETURNING id
            """, [server, name, requestID, user, project, now, now]
        ) { $0.integer(0) }.first ?? 0
    }

    /// - Parameter message: `Error` for a failed action.
    func finish(_ action: Int64, message: String?, at now: Int64, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "UPDATE server_actions SET updated_at = ?, message = ? WHERE id = ?", [now, message, action])
    }

    func add(
        _ event: ServerEvent, to action: Int64, server: ServerID, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO server_events
                (action_id, server_uuid, name, host, started_at, finished_at, result, details, traceback)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                action, server, event.name, event.host, event.startedAt, event.finishedAt, event.result, event.details,
                event.traceback
            ])
    }

    func add(
        _ decision: PlacementDecision, to action: Int64, server: ServerID, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO server_decisions (server_uuid, action_id, decided_at, host, summary, verdicts, reasons)
            VALUES (?, ?, ?, ?, ?, '[]', ?)
            """,
            [
                server, action, now, decision.host?.hostname, decision.summary,
                JSON.array(decision.groups.map(Self.store)).text
            ])
    }

    /// The newest first.
    func actions(
        of server: ServerID, limit: Int, before marker: Int64?, since: Int64?, until: Int64?, in reader: any SQLReader
    ) throws -> [ServerAction] {
        var sql = Self.selection + " WHERE server_uuid = ?"
        var arguments: [any SQLArgument] = [server]
        for (condition, value) in [("id < ?", marker), ("updated_at >= ?", since), ("updated_at <= ?", until)] {
            guard let value else { continue }
            sql += " AND " + condition
            arguments.append(value)
        }
        arguments.append(limit)
        return try reader.query(sql + " ORDER BY id DESC LIMIT ?", arguments, Self.readAction)
    }

    func action(of server: ServerID, requestID: String, in reader: any SQLReader) throws -> ServerAction? {
        try reader.first(
            Self.selection + " WHERE server_uuid = ? AND request_id = ? ORDER BY id DESC LIMIT 1", [server, requestID],
            Self.readAction)
    }

    /// The newest first, as the compute API lists them.
    func events(of action: Int64, in reader: any SQLReader) throws -> [ServerEvent] {
        try reader.query(
            """
            SELECT name, host, started_at, finished_at, result, details, traceback FROM server_events
            WHERE action_id = ? ORDER BY started_at DESC, id DESC LIMIT 1000
            """, [action]
        ) { row in
            ServerEvent(
                name: row.text(0), host: row.text(1), startedAt: row.integer(2), finishedAt: row.optionalInteger(3),
                result: row.optionalText(4), details: row.optionalText(5), traceback: row.optionalText(6))
        }
    }

    /// The oldest first.
    func decisions(of server: ServerID, in reader: any SQLReader) throws -> [SchedulingDecision] {
        try reader.query(
            """
            SELECT decided_at, host, summary, verdicts, reasons FROM server_decisions
            WHERE server_uuid = ? ORDER BY id LIMIT 100
            """, [server]
        ) { row in
            SchedulingDecision(
                decidedAt: row.integer(0), host: row.optionalText(1), summary: row.text(2),
                groups: row.isNull(4) ? try Self.readVerdicts(row.text(3)) : try Self.readGroups(row.text(4)))
        }
    }

    private static func readAction(_ row: any SQLRow) throws -> ServerAction {
        ServerAction(
            id: row.integer(0), server: try row.uuid(1), name: row.text(2), requestID: row.text(3),
            user: try row.uuid(4),
            project: try row.uuid(5), startedAt: row.integer(6), updatedAt: row.integer(7), message: row.optionalText(8)
        )
    }

    private static func store(_ group: PlacementDecision.Group) -> JSON {
        [
            "kept": .bool(group.isKept), "summary": .string(group.summary), "count": JSON(group.count),
            "hosts": .array(group.samples.map { ["host": .string($0.hostname), "reason": .string($0.reason)] })
        ]
    }

    private static func readGroups(_ text: String) throws -> [PlacementDecision.Group] {
        try list(text).map { item in
            PlacementDecision.Group(
                isKept: item["kept"]?.boolValue ?? false, summary: item["summary"]?.stringValue ?? "",
                count: item["count"]?.intValue.map(Int.init) ?? 0,
                samples: (item["hosts"]?.arrayValue ?? []).map(readSample))
        }
    }

    /// Rows of the release before this one name every host.
    private static func readVerdicts(_ text: String) throws -> [PlacementDecision.Group] {
        try list(text).map { item in
            let sample = readSample(item)
            return PlacementDecision.Group(
                isKept: item["kept"]?.boolValue ?? false, summary: sample.reason, count: 1, samples: [sample])
        }
    }

    private static func readSample(_ item: JSON) -> PlacementDecision.Sample {
        PlacementDecision.Sample(
            hostname: item["host"]?.stringValue ?? "", reason: item["reason"]?.stringValue ?? "")
    }

    private static func list(_ text: String) throws -> [JSON] {
        guard let list = (try? JSON.parse(text))?.arrayValue else {
            throw StoreError.corrupt("'\(text)' is not a list of reasons")
        }
        return list
    }
}
