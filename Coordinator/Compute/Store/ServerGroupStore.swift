import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

extension PlacementGroup.Policy: SQLWord {}

extension ServerGroup: TableRecord {
    package static let table = RecordTable<Self>("server_groups")
    package static let blank = Self(
        id: .init(high: 0, low: 0), project: .init(high: 0, low: 0), user: .init(high: 0, low: 0), name: "",
        policy: .affinity, createdAt: 0)

    package mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try column("uuid", &id, .key)
        try column("project_id", &project, .fixed)
        try column("user_id", &user, .fixed)
        try column("name", &name, .fixed)
        try column("policy", &policy, .fixed)
        try column("most_per_host", &mostPerHost, .fixed)
        try column("created_at", &createdAt, .fixed)
    }
}

/// A row of `server_group_members`, of a server.
private struct GroupMember: TableRecord {
    var number: Int64 = 0
    var group = ServerGroupID(high: 0, low: 0)
    var server = ServerID(high: 0, low: 0)

    static let table = RecordTable<Self>(
        "server_group_members", alias: "m", join: "JOIN servers s ON s.uuid = m.server_uuid")
    static let blank = Self()

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try column("group_uuid", &group, .fixed)
        try column("server_uuid", &server, .fixed)
    }
}

/// Server groups and who is in them.
package struct ServerGroupStore: Sendable {
    private let table = ServerGroup.table

    package init() {}

    func insert(_ group: ServerGroup, in transaction: any SQLTransaction) throws {
        try table.insert(group, in: transaction)
    }

    func find(_ id: ServerGroupID, in reader: any SQLReader) throws -> ServerGroup? {
        try table.find(id, in: reader)
    }

    /// In the order in which they were made.
    /// - Parameter project: `nil` for all.
    func list(
        of project: ProjectID?, limit: Int, offset: Int, in reader: any SQLReader
    ) throws -> [ServerGroup] {
        let condition = project.map { SQLCondition.equal("project_id", $0) } ?? .always
        return try reader.query(
            """
            SELECT \(table.selection) FROM \(table.source) WHERE \(condition.sql) ORDER BY id LIMIT ? OFFSET ?
            """, condition.arguments + [limit, offset], table.record)
    }

    package func count(of project: ProjectID, in reader: any SQLReader) throws -> Int {
        try table.count(where: .equal("project_id", project), in: reader)
    }

    func delete(_ id: ServerGroupID, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM server_group_members WHERE group_uuid = ?", [id])
        try table.delete(id, in: transaction)
    }

    func deleteAll(of project: ProjectID, in transaction: any SQLTransaction) throws -> [ServerGroupID] {
        let ids = try table.all(where: .equal("project_id", project), in: transaction).map(\.id)
        for id in ids { try delete(id, in: transaction) }
        return ids
    }

    // MARK: Members

    func join(_ group: ServerGroupID, _ server: ServerID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "INSERT INTO server_group_members (group_uuid, server_uuid) VALUES (?, ?)", [group, server])
    }

    /// Servers that are there, in the order in which they came.
    func members(of groups: [ServerGroupID], in reader: any SQLReader) throws -> [ServerGroupID: [ServerID]] {
        let isThere = SQLCondition("s.deleted_at IS NULL")
        return try reader.inPieces(groups) { piece in
            try GroupMember.table.all(where: .all([.in("m.group_uuid", Array(piece)), isThere]), in: reader)
        }.reduce(into: [:]) { $0[$1.group, default: []].append($1.server) }
    }

    /// The group that a server is in.
    func group(of server: ServerID, in reader: any SQLReader) throws -> ServerGroup? {
        let id = try reader.first(
            "SELECT group_uuid FROM server_group_members WHERE server_uuid = ?", [server]
        ) { try $0.id(0) as ServerGroupID }
        return try id.flatMap { try find($0, in: reader) }
    }
}
