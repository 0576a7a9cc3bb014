import CoordinatorPlatform
import ProtocolModel

extension RBACRecord.Kind: SQLWord {}
extension RBACRecord.Action: SQLWord {}

extension RBACTarget: SQLCodable {
    package var sqlValue: SQLValue { .text(text) }

    package static func read(_ row: any SQLRow, _ column: Int) throws -> Self {
        try row.parsed(column, as: "a target of sharing") { Self($0) }
    }
}

extension RBACRecord: StandardRecord {
    static let blank = RBACRecord(
        id: .blank, project: .blank, standard: .blank, kind: .network, object: .blank, target: .everybody,
        action: .shared)
    static let table = RecordTable<Self>("network_rbac", alias: "b")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("uuid", &id, .key)
        try column.compact("project_id", &project, .fixed)
        try standard.columns(&column)
        try column("object_type", &kind, .fixed)
        try column("object_id", &object, .fixed)
        try column("target", &target)
        try column("action", &action, .fixed)
    }
}

/// Who may use what of others'. The columns `shared` and `external` of what is shared say of everybody, and of anybody,
/// what stands here.
struct RBACStore: Sendable {
    let table = RBACRecord.table

    /// Targets by what is shared with them.
    func targets<Resource>(
        of objects: [Identifier<Resource>], in reader: any SQLReader
    ) throws -> [Identifier<Resource>: [RBACTarget]] {
        let rows = try reader.inPieces(objects) { piece in
            try table.all(
                where: .all([.in("b.object_id", piece.map { $0.text }), .equal("b.action", RBACRecord.Action.shared)]),
                in: reader)
        }
        return Dictionary(grouping: rows) { $0.object.cast() }.mapValues { $0.map(\.target) }
    }

    func targets<Resource>(
        of object: Identifier<Resource>, _ action: RBACRecord.Action, in reader: any SQLReader
    ) throws -> [RBACTarget] {
        try table.all(where: Self.of(object, action), in: reader).map(\.target)
    }

    /// Those of the groups that are shared with the project.
    func shared<Resource>(
        _ objects: [Identifier<Resource>], with project: ProjectID, in reader: any SQLReader
    ) throws -> Set<Identifier<Resource>> {
        let wanted: [RBACTarget] = [.everybody, .project(project)]
        return Set(try targets(of: objects, in: reader).filter { $0.value.contains(where: wanted.contains) }.keys)
    }

    /// - Returns: `false`, and nothing is written, where it is shared so already.
    func insert(_ record: RBACRecord, in transaction: any SQLTransaction) throws -> Bool {
        try table.insert(record, unlessTaken: "object_id, action, target", in: transaction)
    }

    /// - Parameter target: `nil` for all of them.
    func remove<Resource>(
        _ object: Identifier<Resource>, _ action: RBACRecord.Action, for target: RBACTarget? = nil,
        in transaction: any SQLTransaction
    ) throws {
        var conditions: [SQLCondition] = [.equal("object_id", object), .equal("action", action)]
        if let target { conditions.append(.equal("target", target)) }
        try table.delete(where: .all(conditions), in: transaction)
    }

    /// What single projects share by this one's word, or with it.
    func policies(of project: ProjectID, in reader: any SQLReader) throws -> [RBACRecord] {
        let own = SQLCondition.all([.project(project, "b.project_id"), SQLCondition("b.target <> '*'")])
        return try table.all(where: .any([own, .equal("b.target", RBACTarget.project(project))]), in: reader)
    }

    private static func of<Resource>(_ object: Identifier<Resource>, _ action: RBACRecord.Action) -> SQLCondition {
        .all([.equal("b.object_id", object), .equal("b.action", action)])
    }

    /// The projects that use what a policy is about.
    func users(of policy: RBACRecord, in reader: any SQLReader) throws -> Set<ProjectID> {
        let statement =
            switch (policy.kind, policy.action) {
            case (.network, .external): "SELECT DISTINCT project_id FROM network_routers WHERE gateway_network_id = ?"
            case (.network, .shared): "SELECT DISTINCT project_id FROM network_ports WHERE network_id = ?"
            case (.subnetpool, _): "SELECT DISTINCT project_id FROM network_subnets WHERE subnetpool_id = ?"
            case (.addressScope, _): "SELECT DISTINCT project_id FROM network_subnet_pools WHERE address_scope_id = ?"
            case (.securityGroup, _):
                """
                SELECT DISTINCT p.project_id FROM network_port_groups m JOIN network_ports p ON p.uuid = m.port_id
                WHERE m.group_id = ?
                UNION SELECT project_id FROM network_security_group_rules WHERE remote_group_id = ?
                """
            case (.addressGroup, _):
                "SELECT DISTINCT project_id FROM network_security_group_rules WHERE remote_address_group_id = ?"
            case (.qosPolicy, _):
                """
                SELECT project_id FROM network_ports WHERE qos_policy_id = ?
                UNION SELECT project_id FROM network_networks WHERE qos_policy_id = ?
                """
            }
        let marks = statement.count { $0 == "?" }
        return Set(try reader.query(statement, Array(repeating: policy.object, count: marks)) { try $0.id(0) })
    }
}

extension RecordTable where Record: StandardRecord {
    /// What was shared is nobody's any more.
    func unshare<Resource>(_ id: Identifier<Resource>, in transaction: any SQLTransaction) throws {
        try RBACRecord.table.delete(where: .equal("object_id", id), in: transaction)
    }
}

extension NetworkSchema {
    /// What was shared with everybody before has a policy that says so; its id is made of the thing's own, for SQL that
    /// draws one is another on every engine.
    static let rbac = """
        CREATE TABLE network_rbac (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            project_id TEXT NOT NULL,
            name TEXT NOT NULL,
            description TEXT NOT NULL,
            object_type TEXT NOT NULL,
            object_id TEXT NOT NULL,
            target TEXT NOT NULL,
            action TEXT NOT NULL,
            revision BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            UNIQUE (object_id, action, target)
        );
        CREATE INDEX network_rbac_by_project ON network_rbac (project_id);
        \(carried("network", from: "network_networks", where: "shared"))
        \(carried("subnetpool", from: "network_subnet_pools", where: "shared"))
        \(carried("address_scope", from: "network_address_scopes", where: "shared"))
        \(carried("network", from: "network_networks", where: "external"))
        """

    private static func carried(_ type: String, from table: String, where flag: String) -> String {
        // The version digit tells the two policies of one network apart.
        let digit = flag == "shared" ? "a" : "b"
        return """
            INSERT INTO network_rbac (uuid, project_id, name, description, object_type, object_id, target, action,
                revision, created_at, updated_at)
            SELECT substr(uuid, 1, 14) || '\(digit)' || substr(uuid, 16), project_id, '', '', '\(type)', uuid, '*',
                'access_as_\(flag)', 0, created_at, created_at FROM \(table) WHERE \(flag) = 1;
            """
    }
}
