import CoordinatorPlatform
import ProtocolModel

extension ServerMigration: TableRecord {
    package static let table = RecordTable<Self>("server_migrations")
    package static let blank = ServerMigration(
        id: .init(high: 0, low: 0), of: .blank, by: .init(high: 0, low: 0), kind: .resize, status: .accepted,
        to: .blank, at: 0)

    package mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try column("uuid", &id, .key)
        try column("server_uuid", &server, .fixed)
        try column("project_id", &project, .fixed)
        try column("user_id", &user, .fixed)
        try column("kind", &kind, .fixed)
        try column("status", &status)
        try column.place("source", &source)
        try column.place("dest", &destination)
        try column.flavor("old", &oldFlavor, &oldNumber)
        try column.flavor("new", &newFlavor, &newNumber)
        try column("old_vm_state", &oldState, .fixed)
        try column("created_at", &createdAt, .fixed)
        try column("updated_at", &updatedAt)
    }
}

extension ColumnVisitor {
    fileprivate mutating func place(_ prefix: String, _ place: inout ServerMigration.Place?) throws {
        var node = place?.node
        var hostname = place?.hostname
        try self(prefix + "_node", &node)
        try self(prefix + "_host", &hostname)
        if isReading { place = node.map { .init(node: $0, hostname: hostname ?? "") } }
    }

    fileprivate mutating func flavor(_ prefix: String, _ flavor: inout FlavorSnapshot, _ number: inout Int64?) throws {
        var json = isReading ? .null : flavor.json
        try self(prefix + "_flavor", &json, .fixed)
        try self(prefix + "_flavor_number", &number, .fixed)
        if isReading { flavor = FlavorSnapshot(json) }
    }
}

extension FlavorSnapshot {
    fileprivate var json: JSON {
        [
            "id": .string(id), "name": .string(name), "vcpus": JSON(vcpus), "ram": JSON(memoryMiB),
            "disk": JSON(rootGiB), "ephemeral": JSON(ephemeralGiB), "swap": JSON(swapMiB),
            "extra_specs": .object(extraSpecs.mapValues(JSON.string))
        ]
    }

    fileprivate init(_ json: JSON) {
        func number(_ name: String) -> Int { json[name]?.intValue.map(Int.init) ?? 0 }
        self.init(
            id: json["id"]?.stringValue ?? "", name: json["name"]?.stringValue ?? "", vcpus: number("vcpus"),
            memoryMiB: number("ram"), rootGiB: number("disk"), ephemeralGiB: number("ephemeral"),
            swapMiB: number("swap"),
            extraSpecs: (json["extra_specs"]?.objectValue ?? [:]).compactMapValues(\.stringValue))
    }
}

/// The `server_migrations` table.
package struct ServerMigrationStore: Sendable {
    private let table = ServerMigration.table

    package init() {}

    /// By the compute API's names.
    package static let schema: ListSchema = {
        var schema = ListSchema(
            ServerMigration.table, identity: "uuid",
            columns: [
                "created_at": .init("created_at", .number), "id": .init("id", .number),
                "updated_at": .init("updated_at", .number), "status": .init("status"),
                "migration_type": .init("kind"), "instance_uuid": .init("server_uuid", .identifier),
                "source_compute": .init("source_host", isNullable: true),
                "project_id": .init("project_id", .identifier), "user_id": .init("user_id", .identifier)
            ],
            special: [
                "host": { hosts in
                    SQLCondition(
                        "source_host = ? OR dest_host = ?", [hosts.first ?? "", hosts.first ?? ""] as [any SQLArgument])
                }
            ], numberFollows: true)
        schema.identity.kind = .identifier
        return schema
    }()

    package func insert(_ migration: ServerMigration, in transaction: any SQLTransaction) throws {
        try table.insert(migration, in: transaction)
    }

    package func save(_ migration: ServerMigration, at now: Int64, in transaction: any SQLTransaction) throws {
        var migration = migration
        migration.updatedAt = now
        try table.update(migration, in: transaction)
    }

    /// The newest of a server's that something may still be gone back from.
    package func open(of server: ServerID, in reader: any SQLReader) throws -> ServerMigration? {
        try newest(of: server, in: reader).flatMap { $0.kind != .evacuation && $0.status.isOpen ? $0 : nil }
    }

    /// The evacuation of a server that is under way.
    package func evacuation(of server: ServerID, in reader: any SQLReader) throws -> ServerMigration? {
        try newest(of: server, in: reader).flatMap { $0.kind == .evacuation && $0.status == .accepted ? $0 : nil }
    }

    /// The newest hundred of a server's, the oldest of them first.
    package func all(of server: ServerID, in reader: any SQLReader) throws -> [ServerMigration] {
        try table.all(where: .equal("server_uuid", server), order: "id DESC", limit: 100, in: reader).reversed()
    }

    package func newest(of server: ServerID, in reader: any SQLReader) throws -> ServerMigration? {
        try table.first(where: .equal("server_uuid", server), order: "id DESC", in: reader)
    }

    package func find(_ number: Int64, of server: ServerID, in reader: any SQLReader) throws -> ServerMigration? {
        try table.first(where: SQLCondition("id = ? AND server_uuid = ?", [number, server]), in: reader)
    }

    /// Evacuations off a host that has not said yet that nothing is left there.
    package func evacuations(
        of server: ServerID, from node: NodeID, in reader: any SQLReader
    ) throws -> [ServerMigration] {
        try table.all(
            where: SQLCondition(
                "server_uuid = ? AND source_node = ? AND kind = ? AND status IN (?, ?, ?)",
                [
                    server, node, ServerMigration.Kind.evacuation, ServerMigration.Status.accepted,
                    ServerMigration.Status.done, ServerMigration.Status.error
                ]), in: reader)
    }

    /// Those that wait to be confirmed since before a moment, the longest first; at most 100.
    package func unconfirmed(since time: Int64, in reader: any SQLReader) throws -> [ServerMigration] {
        try table.all(
            where: SQLCondition("status = ? AND updated_at <= ?", [ServerMigration.Status.finished, time]),
            order: "updated_at", limit: 100, in: reader)
    }

    /// Those of a project's servers that are under way to another size, or back.
    package func underWay(of project: ProjectID, in reader: any SQLReader) throws -> [ServerMigration] {
        let states = [ServerMigration.Status.accepted, .migrating, .reverting]
        let isResize = SQLCondition("project_id = ? AND kind = ?", [project, ServerMigration.Kind.resize])
        return try table.all(where: .all([.in("status", states), isResize]), in: reader)
    }

    /// Those of servers that broke in their new size, so that nobody can confirm it or go back; at most 100.
    package func stranded(in reader: any SQLReader) throws -> [ServerMigration] {
        let isBroken = SQLCondition(
            "server_uuid IN (SELECT uuid FROM servers WHERE vm_state = ? AND task_state IS NULL)", [VMState.error])
        return try table.all(
            where: .all([.equal("status", ServerMigration.Status.finished), isBroken]), order: "updated_at", limit: 100,
            in: reader)
    }

    /// - Throws: ``UnknownMarker``
    package func list(_ query: ListQuery, in reader: any SQLReader) throws -> [ServerMigration] {
        try Self.schema.records(table, query, visible: .always, in: reader)
    }

    func forget(_ servers: [ServerID], in transaction: any SQLTransaction) throws {
        try table.delete(where: .in("server_uuid", servers), in: transaction)
    }
}
