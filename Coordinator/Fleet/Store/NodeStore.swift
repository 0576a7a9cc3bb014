import CoordinatorPlatform
import ProtocolModel
import ProtocolWire

/// The rows of nodes and of the tokens they join with.
struct NodeStore: Sendable {
    private static let columns = "id, uuid, hostname, health, enabled, disabled_reason, report, last_seen"

    func all(in reader: any SQLReader) throws -> [Node] {
        try reader.query("SELECT \(Self.columns) FROM nodes WHERE removed_at IS NULL ORDER BY id", Self.map)
    }

    func node(_ id: NodeID, in reader: any SQLReader) throws -> Node? {
        try reader.first("SELECT \(Self.columns) FROM nodes WHERE uuid = ? AND removed_at IS NULL", [id], Self.map)
    }

    /// What the judge looks at.
    struct Judged: Sendable, Hashable {
        var node: NodeID
        var hostname: String
        var health: HealthVerdict
        var lastSeen: Int64
    }

    func judged(in reader: any SQLReader) throws -> [Judged] {
        try reader.query("SELECT uuid, hostname, health, last_seen FROM nodes WHERE removed_at IS NULL ORDER BY id") {
            Judged(
                node: try $0.id(0), hostname: $0.text(1), health: HealthVerdict(rawValue: $0.text(2)) ?? .down,
                lastSeen: $0.integer(3))
        }
    }

    func isTaken(_ hostname: String, in reader: any SQLReader) throws -> Bool {
        try reader.count("SELECT COUNT(*) FROM nodes WHERE hostname = ? AND removed_at IS NULL", [hostname]) > 0
    }

    func insert(_ id: NodeID, hostname: String, epoch: Int64, at now: Int64, in transaction: any SQLTransaction) throws
    {
        try transaction.execute(
            """
            INSERT INTO nodes (uuid, hostname, health, enabled, last_seen, created_at, plan_epoch, plan_revision,
                acknowledged_revision)
            VALUES (?, ?, ?, 1, ?, ?, ?, 0, 0)
            """, [id, hostname, HealthVerdict.down.rawValue, now, now, epoch])
        try changed(id, at: now, in: transaction)
    }

    private func changed(_ node: NodeID, at now: Int64, in transaction: any SQLTransaction) throws {
        try ChangeFeed.append(topic: FleetFeed.nodes, key: node.text, at: now, in: transaction)
    }

    /// - Returns: Whether the node is still in the cloud.
    func setReport(
        _ report: NodeReport, encoded: [UInt8], of node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Bool {
        let count = try transaction.execute(
            "UPDATE nodes SET report = ?, hostname = ?, last_seen = ? WHERE uuid = ? AND removed_at IS NULL",
            [encoded, report.hostname, now, node])
        guard count == 1 else { return false }
        try changed(node, at: now, in: transaction)
        return true
    }

    func encodedReport(of node: NodeID, in reader: any SQLReader) throws -> [UInt8]? {
        try reader.first("SELECT report FROM nodes WHERE uuid = ? AND report IS NOT NULL", [node]) { $0.blob(0) }
    }

    /// - Returns: Whether the verdict is news.
    func setHealth(
        _ health: HealthVerdict, of node: NodeID, lastSeen: Int64, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Bool {
        let count = try transaction.execute(
            "UPDATE nodes SET health = ?, last_seen = ? WHERE uuid = ? AND health <> ? AND removed_at IS NULL",
            [health.rawValue, lastSeen, node, health.rawValue])
        guard count == 1 else { return false }
        try changed(node, at: now, in: transaction)
        return true
    }

    func setEnabled(
        _ enabled: Bool, reason: String?, node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            "UPDATE nodes SET enabled = ?, disabled_reason = ? WHERE uuid = ?", [enabled, reason, node])
        try changed(node, at: now, in: transaction)
    }

    /// - Returns: Whether it was there.
    func remove(_ node: NodeID, at now: Int64, in transaction: any SQLTransaction) throws -> Bool {
        let count = try transaction.execute(
            "UPDATE nodes SET removed_at = ? WHERE uuid = ? AND removed_at IS NULL", [now, node])
        guard count == 1 else { return false }
        try changed(node, at: now, in: transaction)
        return true
    }

    private static func map(_ row: any SQLRow) throws -> Node {
        Node(
            id: try row.id(1), number: row.int(0), hostname: row.text(2),
            health: HealthVerdict(rawValue: row.text(3)) ?? .down, isEnabled: row.bool(4),
            disabledReason: row.optionalText(5), report: row.isNull(6) ? nil : try NodeReport(wireBytes: row.blob(6)),
            lastSeen: row.integer(7), lastHealth: nil)
    }
}

/// One-time join tokens. Only a hash of the secret is kept.
struct JoinTokenStore: Sendable {
    func insert(
        secretHash: String, uses: Int, expiresAt: Int64, now: Int64, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute("DELETE FROM join_tokens WHERE expires_at < ? OR uses_left = 0", [now])
        try transaction.execute(
            "INSERT INTO join_tokens (secret_hash, uses_left, expires_at, created_at) VALUES (?, ?, ?, ?)",
            [secretHash, uses, expiresAt, now])
    }

    func isKnown(secretHash: String, now: Int64, in reader: any SQLReader) throws -> Bool {
        try reader.count(
            "SELECT COUNT(*) FROM join_tokens WHERE secret_hash = ? AND uses_left > 0 AND expires_at >= ?",
            [secretHash, now]) > 0
    }

    /// One conditional write decides who uses the last use.
    func consume(secretHash: String, now: Int64, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.execute(
            """
            UPDATE join_tokens SET uses_left = uses_left - 1
            WHERE secret_hash = ? AND uses_left > 0 AND expires_at >= ?
            """, [secretHash, now]) == 1
    }
}
