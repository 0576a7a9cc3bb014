import CoordinatorPlatform
import ProtocolModel

extension QoSRuleRecord.Kind: SQLWord {}
extension QoSRuleRecord.Direction: SQLWord {}

/// Without the rules, which ``QoSStore/complete(_:in:)`` adds.
extension QoSPolicyRecord: StandardRecord {
    static let blank = QoSPolicyRecord(id: .blank, project: .blank, standard: .blank)
    static let table = RecordTable<Self>("network_qos_policies", alias: "q")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("uuid", &id, .key)
        try column.compact("project_id", &project, .fixed)
        try standard.columns(&column)
        try column("is_default", &isDefault)
    }
}

extension QoSRuleRecord: TableRecord {
    package static let blank = QoSRuleRecord(id: .blank, policy: .blank, kind: .bandwidthLimit)
    package static let table = RecordTable<Self>("network_qos_rules", alias: "r")

    package mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("uuid", &id, .key)
        try column("policy_id", &policy, .fixed)
        try column("type", &kind, .fixed)
        try column("direction", &direction)
        try column("max_kbps", &maxKbps)
        try column("max_burst_kbps", &maxBurstKbps)
        try column("dscp", &dscp)
    }
}

/// Policies of quality of service with their rules, and what has them.
struct QoSStore: Sendable {
    let table = QoSPolicyRecord.table
    let ruleTable = QoSRuleRecord.table

    /// In order of creation.
    func rules(of policies: [QoSPolicyID], in reader: any SQLReader) throws -> [QoSPolicyID: [QoSRuleRecord]] {
        let found = try reader.inPieces(policies) {
            try ruleTable.all(where: .in("r.policy_id", Array($0)), in: reader)
        }
        return Dictionary(grouping: found, by: \.policy)
    }

    func complete(_ policies: [QoSPolicyRecord], in reader: any SQLReader) throws -> [QoSPolicyRecord] {
        let rules = try rules(of: policies.map(\.id), in: reader)
        return policies.map { policy in
            var policy = policy
            policy.rules = rules[policy.id] ?? []
            return policy
        }
    }

    func defaultPolicy(of project: ProjectID, in reader: any SQLReader) throws -> QoSPolicyRecord? {
        try table.first(where: .all([.project(project), .equal("is_default", true)]), in: reader)
    }

    func owned(by project: ProjectID, in reader: any SQLReader) throws -> [QoSPolicyRecord] {
        try table.all(where: .project(project), in: reader)
    }

    /// The policies that networks have themselves.
    func policies(
        ofNetworks networks: [NetworkID], in reader: any SQLReader
    ) throws -> [NetworkID: QoSPolicyID] {
        let found: [NetworkID: [QoSPolicyID]] = try reader.grouped(networks, by: "uuid") {
            "SELECT uuid, qos_policy_id FROM network_networks WHERE \($0) AND qos_policy_id IS NOT NULL"
        }
        return found.compactMapValues(\.first)
    }

    /// Ports on nodes that the policy speaks of: those that have it, and those that have none of their own in networks
    /// that have it.
    func boundPorts(with policy: QoSPolicyID, in reader: any SQLReader) throws -> [PortID] {
        try reader.query(
            """
            SELECT uuid FROM network_ports WHERE qos_policy_id = ? AND node_id IS NOT NULL
            UNION
            SELECT p.uuid FROM network_ports p JOIN network_networks n ON n.uuid = p.network_id
            WHERE n.qos_policy_id = ? AND p.qos_policy_id IS NULL AND p.node_id IS NOT NULL
            """, [policy, policy]
        ) { try $0.id(0) }
    }

    /// Ports of the network on nodes that have no policy of their own.
    func boundPorts(following network: NetworkID, in reader: any SQLReader) throws -> [PortID] {
        try reader.query(
            """
            SELECT uuid FROM network_ports
            WHERE network_id = ? AND qos_policy_id IS NULL AND node_id IS NOT NULL
            """, [network]
        ) { try $0.id(0) }
    }

    func port(with policy: QoSPolicyID, in reader: any SQLReader) throws -> PortID? {
        try PortRecord.table.first(where: .equal("p.qos_policy_id", policy), in: reader)?.id
    }

    /// One of a router, where nothing can be limited.
    func routerPort(with policy: QoSPolicyID, in reader: any SQLReader) throws -> PortID? {
        let owned = SQLCondition("p.device_owner LIKE 'network:%'")
        return try PortRecord.table.first(where: .all([.equal("p.qos_policy_id", policy), owned]), in: reader)?.id
    }

    func network(with policy: QoSPolicyID, in reader: any SQLReader) throws -> NetworkID? {
        try NetworkRecord.table.first(where: .equal("n.qos_policy_id", policy), in: reader)?.id
    }

    /// - Returns: `false`, and nothing is written, where the policy has one of this kind and direction.
    func insert(_ rule: QoSRuleRecord, in transaction: any SQLTransaction) throws -> Bool {
        try ruleTable.insert(rule, unlessTaken: "policy_id, type, direction", in: transaction)
    }
}

extension NetworkSchema {
    static let qos = """
        CREATE TABLE network_qos_policies (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            project_id TEXT NOT NULL,
            name TEXT NOT NULL,
            description TEXT NOT NULL,
            is_default INTEGER NOT NULL,
            revision BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL
        );
        CREATE INDEX network_qos_policies_by_project ON network_qos_policies (project_id);
        CREATE UNIQUE INDEX network_qos_policies_default ON network_qos_policies (project_id) WHERE is_default = 1;
        CREATE TABLE network_qos_rules (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            policy_id TEXT NOT NULL REFERENCES network_qos_policies (uuid) ON DELETE CASCADE,
            type TEXT NOT NULL,
            direction TEXT NOT NULL,
            max_kbps BIGINT NOT NULL,
            max_burst_kbps BIGINT NOT NULL,
            dscp BIGINT NOT NULL,
            UNIQUE (policy_id, type, direction)
        );
        ALTER TABLE network_networks ADD COLUMN qos_policy_id TEXT;
        ALTER TABLE network_ports ADD COLUMN qos_policy_id TEXT;
        CREATE INDEX network_networks_by_qos_policy ON network_networks (qos_policy_id);
        CREATE INDEX network_ports_by_qos_policy ON network_ports (qos_policy_id);
        """
}
