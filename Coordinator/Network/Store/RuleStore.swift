import CoordinatorPlatform
import ProtocolModel

/// The table of security group rules.
struct RuleStore: Sendable {
    static let columns = """
        r.uuid, r.group_id, r.project_id, r.description, r.revision, r.created_at, r.updated_at, r.direction,
        r.ip_version, r.protocol, r.port_range_min, r.port_range_max, r.remote_group_id, r.remote_ip_prefix, g.is_default
        """
    static let source = "network_security_group_rules r JOIN network_security_groups g ON g.uuid = r.group_id"

    static func record(_ row: any SQLRow) throws -> RuleRecord {
        RuleRecord(
            id: try row.id(0), group: try row.id(1), project: try row.id(2),
            standard: Standard(
                description: row.text(3), revision: row.int(4), createdAt: row.integer(5), updatedAt: row.integer(6)),
            direction: SecurityGroupRuleSpec.Direction(rawValue: row.text(7)) ?? .ingress,
            family: IPAddress.Family(rawValue: row.int(8)) ?? .ipv4, protocolText: row.optionalText(9),
            portMin: row.optionalInteger(10).map(Int.init), portMax: row.optionalInteger(11).map(Int.init),
            remoteGroup: try row.optionalID(12), remotePrefix: row.optionalText(13), belongsToDefaultGroup: row.bool(14)
        )
    }

    func find(_ id: SecurityGroupRuleID, in reader: any SQLReader) throws -> RuleRecord? {
        try reader.first("SELECT \(Self.columns) FROM \(Self.source) WHERE r.uuid = ?", [id], Self.record)
    }

    /// In order of creation.
    func rules(of groups: [SecurityGroupID], in reader: any SQLReader) throws -> [SecurityGroupID: [RuleRecord]] {
        var result: [SecurityGroupID: [RuleRecord]] = [:]
        for chunk in groups.chunks(of: InList.limit) {
            let list = InList(Array(chunk))
            let found = try reader.query(
                "SELECT \(Self.columns) FROM \(Self.source) WHERE r.group_id IN \(list.placeholders) ORDER BY r.id",
                list.arguments, Self.record)
            for rule in found { result[rule.group, default: []].append(rule) }
        }
        return result
    }

    /// - Returns: `false`, and nothing is written, when the group has a rule that lets the same through.
    func insert(_ rule: RuleRecord, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.execute(
            """
            INSERT INTO network_security_group_rules (uuid, group_id, project_id, description, revision, created_at,
                updated_at, direction, ip_version, protocol, port_range_min, port_range_max, remote_group_id,
                remote_ip_prefix, duplicate_key)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (group_id, duplicate_key) DO NOTHING
            """,
            [
                rule.id, rule.group, rule.project.compact, rule.standard.description, rule.standard.revision,
                rule.standard.createdAt, rule.standard.updatedAt, rule.direction.rawValue, rule.family.rawValue,
                rule.protocolText, rule.portMin, rule.portMax, rule.remoteGroup, rule.remotePrefix, rule.duplicateKey
            ]) == 1
    }

    func duplicate(of rule: RuleRecord, in reader: any SQLReader) throws -> SecurityGroupRuleID? {
        try reader.first(
            "SELECT uuid FROM network_security_group_rules WHERE group_id = ? AND duplicate_key = ?",
            [rule.group, rule.duplicateKey]
        ) { try $0.id(0) }
    }

    func delete(_ id: SecurityGroupRuleID, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM network_security_group_rules WHERE uuid = ?", [id])
    }

    /// The groups that rules of these groups refer to.
    func remotes(of groups: [SecurityGroupID], in reader: any SQLReader) throws -> Set<SecurityGroupID> {
        let list = InList(groups)
        return Set(
            try reader.query(
                """
                SELECT DISTINCT remote_group_id FROM network_security_group_rules
                WHERE group_id IN \(list.placeholders) AND remote_group_id IS NOT NULL
                """, list.arguments
            ) { try $0.id(0) })
    }

    /// Whether any rule refers to the group.
    func isReferredTo(_ group: SecurityGroupID, in reader: any SQLReader) throws -> Bool {
        try reader.first(
            "SELECT 1 FROM network_security_group_rules WHERE remote_group_id = ? LIMIT 1", [group]
        ) { _ in true } ?? false
    }

    /// Whether a group that ports on the node are in has a rule that refers to this one.
    func isReferredTo(_ group: SecurityGroupID, on node: NodeID, in reader: any SQLReader) throws -> Bool {
        try reader.query(
            "SELECT DISTINCT group_id FROM network_security_group_rules WHERE remote_group_id = ?", [group]
        ) { row -> SecurityGroupID in try row.id(0) }
        .contains { try SecurityGroupStore().hasMember($0, on: node, in: reader) }
    }

    /// Groups other than itself with rules that refer to this one.
    func referrers(to group: SecurityGroupID, in reader: any SQLReader) throws -> [SecurityGroupID] {
        try reader.query(
            "SELECT DISTINCT group_id FROM network_security_group_rules WHERE remote_group_id = ? AND group_id <> ?",
            [group, group]
        ) { try $0.id(0) }
    }
}
