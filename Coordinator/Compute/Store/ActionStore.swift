import CoordinatorPlatform
import CoordinatorPlacement
import ProtocolModel

/// Why hosts were chosen for servers.
struct ActionStore: Sendable {
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
