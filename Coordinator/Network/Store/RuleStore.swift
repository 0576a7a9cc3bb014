import CoordinatorPlatform
import ProtocolModel

extension SecurityGroupRuleSpec.Direction: SQLWord {}

extension RuleRecord: StandardRecord {
    static let blank = RuleRecord(
        id: .blank, group: .blank, project: .blank, standard: .blank, direction: .ingress, family: .ipv4)
    static let table = RecordTable<Self>(
        "network_security_group_rules", alias: "r", join: "JOIN network_security_groups g ON g.uuid = r.group_id")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("uuid", &id, .key)
        try column("group_id", &group, .fixed)
        try column.compact("project_id", &project, .fixed)
        try standard.columns(&column, hasName: false)
        try column("direction", &direction, .fixed)
        try column("ip_version", &family, .fixed)
        try column("protocol", &protocolText, .fixed)
        try column("port_range_min", &portMin, .fixed)
        try column("port_range_max", &portMax, .fixed)
        try column("remote_group_id", &remoteGroup, .fixed)
        try column("remote_ip_prefix", &remotePrefix, .fixed)
        try column("remote_address_group_id", &remoteAddresses, .fixed)
        var duplicateKey = column.isReading ? "" : duplicateKey
        try column("duplicate_key", &duplicateKey, .fixed)
        try column("g.is_default", &belongsToDefaultGroup, .joined)
    }
}

extension RecordTable<RuleRecord> {
    /// In order of creation.
    func rules(of groups: [SecurityGroupID], in reader: any SQLReader) throws -> [SecurityGroupID: [RuleRecord]] {
        let found = try reader.inPieces(groups) { try all(where: .in("r.group_id", Array($0)), in: reader) }
        return Dictionary(grouping: found, by: \.group)
    }

    /// - Returns: `false`, and nothing is written, when the group has a rule that lets the same through.
    func insertUnique(_ rule: RuleRecord, in transaction: any SQLTransaction) throws -> Bool {
        try insert(rule, unlessTaken: "group_id, duplicate_key", in: transaction)
    }

    func duplicate(of rule: RuleRecord, in reader: any SQLReader) throws -> RuleRecord? {
        try first(
            where: .all([.equal("r.group_id", rule.group), .equal("r.duplicate_key", rule.duplicateKey)]), in: reader)
    }

    /// The groups that rules of these groups refer to.
    func remotes(of groups: [SecurityGroupID], in reader: any SQLReader) throws -> Set<SecurityGroupID> {
        Set(
            try reader.inPieces(groups) { piece in
                let condition = SQLCondition.in("group_id", Array(piece))
                return try reader.query(
                    """
                    SELECT DISTINCT remote_group_id FROM network_security_group_rules
                    WHERE \(condition.sql) AND remote_group_id IS NOT NULL
                    """, condition.arguments
                ) { try $0.id(0) }
            })
    }

    /// Whether any rule refers to the group.
    func isReferredTo(_ group: SecurityGroupID, in reader: any SQLReader) throws -> Bool {
        try exists(where: .equal("r.remote_group_id", group), in: reader)
    }

    /// Whether a group that ports on the node are in has a rule that refers to this one.
    func isReferredTo(_ group: SecurityGroupID, on node: NodeID, in reader: any SQLReader) throws -> Bool {
        try referrers(to: group, in: reader).contains { try MembershipStore().hasMember($0, on: node, in: reader) }
    }

    /// Groups with rules that refer to this one, itself among them where it does.
    func referrers(to group: SecurityGroupID, in reader: any SQLReader) throws -> [SecurityGroupID] {
        try reader.query(
            "SELECT DISTINCT group_id FROM network_security_group_rules WHERE remote_group_id = ?", [group]
        ) { try $0.id(0) }
    }
}
