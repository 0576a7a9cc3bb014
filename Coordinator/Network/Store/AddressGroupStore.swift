import CoordinatorPlatform
import ProtocolModel

/// Without the addresses, which ``AddressGroupStore/complete(_:in:)`` adds.
extension AddressGroupRecord: StandardRecord {
    static let blank = AddressGroupRecord(id: .blank, project: .blank, standard: .blank)
    static let table = RecordTable<Self>("network_address_groups", alias: "a")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("uuid", &id, .key)
        try column.compact("project_id", &project, .fixed)
        try standard.columns(&column)
    }
}

/// Address groups with their addresses.
struct AddressGroupStore: Sendable {
    let table = AddressGroupRecord.table

    func prefixes(of groups: [AddressGroupID], in reader: any SQLReader) throws -> [AddressGroupID: [IPPrefix]] {
        try reader.grouped(groups, by: "group_id") {
            "SELECT group_id, prefix FROM network_address_group_prefixes WHERE \($0) ORDER BY id"
        }
    }

    func complete(_ groups: [AddressGroupRecord], in reader: any SQLReader) throws -> [AddressGroupRecord] {
        let prefixes = try prefixes(of: groups.map(\.id), in: reader)
        return groups.map { group in
            var group = group
            group.prefixes = prefixes[group.id] ?? []
            return group
        }
    }

    func add(_ prefixes: [IPPrefix], to group: AddressGroupID, in transaction: any SQLTransaction) throws {
        for prefix in prefixes {
            try transaction.execute(
                "INSERT INTO network_address_group_prefixes (group_id, prefix) VALUES (?, ?)", [group, prefix])
        }
    }

    func remove(_ prefixes: [IPPrefix], from group: AddressGroupID, in transaction: any SQLTransaction) throws {
        for prefix in prefixes {
            try transaction.execute(
                "DELETE FROM network_address_group_prefixes WHERE group_id = ? AND prefix = ?", [group, prefix])
        }
    }

    /// Whether a rule names the group.
    func isUsed(_ group: AddressGroupID, in reader: any SQLReader) throws -> Bool {
        try RuleRecord.table.exists(where: .equal("r.remote_address_group_id", group), in: reader)
    }

    /// Security groups with rules that name the group.
    func referrers(to group: AddressGroupID, in reader: any SQLReader) throws -> [SecurityGroupID] {
        try reader.query(
            "SELECT DISTINCT group_id FROM network_security_group_rules WHERE remote_address_group_id = ?", [group]
        ) { try $0.id(0) }
    }

    func owned(by project: ProjectID, in reader: any SQLReader) throws -> [AddressGroupRecord] {
        try table.all(where: .project(project), in: reader)
    }
}

extension NetworkSchema {
    static let addressGroups = """
        CREATE TABLE network_address_groups (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            project_id TEXT NOT NULL,
            name TEXT NOT NULL,
            description TEXT NOT NULL,
            revision BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL
        );
        CREATE INDEX network_address_groups_by_project ON network_address_groups (project_id);
        CREATE TABLE network_address_group_prefixes (
            id INTEGER PRIMARY KEY,
            group_id TEXT NOT NULL REFERENCES network_address_groups (uuid) ON DELETE CASCADE,
            prefix TEXT NOT NULL,
            UNIQUE (group_id, prefix)
        );
        ALTER TABLE network_security_group_rules ADD COLUMN remote_address_group_id TEXT;
        CREATE INDEX network_security_group_rules_by_addresses
            ON network_security_group_rules (remote_address_group_id);
        """
}
