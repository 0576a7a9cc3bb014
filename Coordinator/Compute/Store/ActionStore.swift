import CoordinatorPlatform
import CoordinatorPlacement
import ProtocolModel

/// Why hosts were chosen for servers.
struct ActionStore: Sendable {
    func add(
        _ decision: PlacementDecision, to action: Int64, server: ServerID, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        let verdicts = JSON.array(
            decision.verdicts.map {
                ["host": .string($0.hostname), "kept": .bool($0.isKept), "reason": .string($0.reason)]
            })
        try transaction.execute(
            """
            INSERT INTO server_decisions (server_uuid, action_id, decided_at, host, summary, verdicts)
            VALUES (?, ?, ?, ?, ?, ?)
            """, [server, action, now, decision.hostname, decision.summary, verdicts.text])
    }

    /// The oldest first.
    func decisions(of server: ServerID, in reader: any SQLReader) throws -> [SchedulingDecision] {
        try reader.query(
            """
            SELECT decided_at, host, summary, verdicts FROM server_decisions
            WHERE server_uuid = ? ORDER BY id LIMIT 100
            """, [server]
        ) { row in
            SchedulingDecision(
                decidedAt: row.integer(0), host: row.optionalText(1), summary: row.text(2),
                verdicts: try Self.readVerdicts(row.text(3)))
        }
    }

    private static func readVerdicts(_ text: String) throws -> [SchedulingDecision.Verdict] {
        guard let list = (try? JSON.parse(text))?.arrayValue else {
            throw StoreError.corrupt("'\(text)' is not a list of verdicts")
        }
        return list.map { item in
            SchedulingDecision.Verdict(
                hostname: item["host"]?.stringValue ?? "", isKept: item["kept"]?.boolValue ?? false,
                reason: item["reason"]?.stringValue ?? "")
        }
    }
}
