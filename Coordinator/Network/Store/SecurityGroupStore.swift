import CoordinatorPlatform
import ProtocolModel

extension SecurityGroupRecord: StandardRecord {
    static let blank = SecurityGroupRecord(id: .blank, project: .blank, standard: .blank)
    static let table = RecordTable<Self>("network_security_groups", alias: "g")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("uuid", &id, .key)
        try column.compact("project_id", &project, .fixed)
        try standard.columns(&column)
        try column("is_default", &isDefault, .fixed)
    }
}

extension RecordTable<SecurityGroupRecord> {
    func named(_ name: String, project: ProjectID, in reader: any SQLReader) throws -> [SecurityGroupRecord] {
        try all(where: .all([.project(project), .equal("name", name)]), in: reader)
    }

    func defaultGroup(of project: ProjectID, in reader: any SQLReader) throws -> SecurityGroupRecord? {
        try first(where: .all([.project(project), SQLCondition("is_default = 1", [])]), in: reader)
    }

    /// Groups that somebody made; the default group is nobody's work.
    func made(by project: ProjectID, in reader: any SQLReader) throws -> [SecurityGroupRecord] {
        try all(where: .all([.project(project), .equal("is_default", false)]), in: reader)
    }

    /// Names what the group's members are from now on. A number that was never there before: what was read under one
    /// stays true of it, also where a transaction wrote it that failed.
    func setMembersVersion(_ version: Int64, of id: SecurityGroupID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "UPDATE network_security_groups SET members_version = ? WHERE uuid = ?", [version, id])
    }

    func membersVersion(of id: SecurityGroupID, in reader: any SQLReader) throws -> Int64? {
        try reader.first("SELECT members_version FROM network_security_groups WHERE uuid = ?", [id]) { $0.integer(0) }
    }

    /// Counts the revision up: a rule came or went.
    func touch(_ id: SecurityGroupID, at now: Int64, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "UPDATE network_security_groups SET revision = revision + 1, updated_at = ? WHERE uuid = ?", [now, id])
    }
}
