import CoordinatorPlatform
import ProtocolModel

/// How a ``VolumeType`` stands in its row.
extension VolumeType: TableRecord {
    public static let table = RecordTable<Self>("blockstorage_types")
    public static let blank = VolumeType(id: .init(high: 0, low: 0), name: "", createdAt: 0)

    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try column("uuid", &id, .key)
        try column("generation", &generation, .generation)
        try column("name", &name)
        try column("description", &description)
        try column("is_public", &isPublic)
        try column("extra_specs", &extraSpecs)
        try column("qos_specs_id", &qosSpecs)
        try column("created_at", &createdAt, .fixed)
        try column("updated_at", &updatedAt)
    }
}

/// The `blockstorage_types` table, and who may use private ones.
struct TypeStore: Sendable {
    private let table = VolumeType.table

    func insert(_ type: VolumeType, in transaction: any SQLTransaction) throws {
        try table.insert(type, in: transaction)
    }

    /// - Throws: `StoreError.stale` when someone changed it since it was read.
    func save(_ type: VolumeType, in transaction: any SQLTransaction) throws {
        try table.update(type, in: transaction)
    }

    func find(_ id: VolumeTypeID, in reader: any SQLReader) throws -> VolumeType? { try table.find(id, in: reader) }
    func find(named name: String, in reader: any SQLReader) throws -> VolumeType? {
        try table.first(where: .equal("name", name), in: reader)
    }

    /// Their names, for volumes that are shown.
    func names(in reader: any SQLReader) throws -> [VolumeTypeID: String] {
        let rows: [(VolumeTypeID, String)] = try reader.query("SELECT uuid, name FROM blockstorage_types") {
            (try $0.id(0), $0.text(1))
        }
        return Dictionary(rows, uniquingKeysWith: { first, _ in first })
    }

    /// Names of those that everybody, or the project, may use.
    func names(openTo project: ProjectID?, in reader: any SQLReader) throws -> [String] {
        let open = Self.open(to: project)
        return try reader.query("SELECT name FROM blockstorage_types WHERE \(open.sql)", open.arguments) { $0.text(0) }
    }

    func all(in reader: any SQLReader) throws -> [VolumeType] { try table.all(in: reader) }
    func count(in reader: any SQLReader) throws -> Int { try table.count(in: reader) }

    func delete(_ id: VolumeTypeID, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM blockstorage_type_access WHERE type_id = ?", [id])
        try table.delete(id, in: transaction)
    }

    static let schema: ListSchema = {
        var schema = ListSchema(
            VolumeType.table,
            columns: [
                "id": .init("uuid", .identifier), "name": .init("name"), "created_at": .init("created_at", .number),
                "is_public": .init("is_public", .flag), "description": .init("description", isNullable: true)
            ], special: ["extra_specs": VolumeStore.metadata("extra_specs")], numberFollows: true)
        schema.identity.kind = .identifier
        return schema
    }()

    /// Those that everybody, or the project, may use.
    static func open(to project: ProjectID?) -> SQLCondition {
        SQLCondition(
            """
            is_public = ? OR uuid IN (SELECT a.type_id FROM blockstorage_type_access a WHERE a.project_id = ?)
            """, [true, project?.compact ?? ""])
    }

    /// - Throws: ``UnknownMarker``
    func list(
        _ query: ListQuery, visible: SQLCondition, skipping offset: Int, in reader: any SQLReader
    ) throws -> [VolumeType] {
        try OffsetPage.records(table, Self.schema, query, visible: visible, skipping: offset, in: reader)
    }

    // MARK: Access to private ones

    /// The projects (as 32 digits), in the order in which they got it.
    func access(to id: VolumeTypeID, in reader: any SQLReader) throws -> [String] {
        try reader.query("SELECT project_id FROM blockstorage_type_access WHERE type_id = ? ORDER BY id", [id]) {
            $0.text(0)
        }
    }

    func hasAccess(_ project: ProjectID, to id: VolumeTypeID, in reader: any SQLReader) throws -> Bool {
        try reader.exists("blockstorage_type_access", Self.one(project, id))
    }

    /// - Returns: `false` when it had access already.
    func grant(_ project: ProjectID, to id: VolumeTypeID, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.execute(
            """
            INSERT INTO blockstorage_type_access (type_id, project_id) VALUES (?, ?)
            ON CONFLICT (type_id, project_id) DO NOTHING
            """, [id, project.compact]) == 1
    }

    /// - Returns: `false` when it had none.
    func revoke(_ project: ProjectID, from id: VolumeTypeID, in transaction: any SQLTransaction) throws -> Bool {
        let one = Self.one(project, id)
        return try transaction.execute(
            "DELETE FROM blockstorage_type_access WHERE \(one.sql)", one.arguments) == 1
    }

    func revokeAll(of project: ProjectID, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM blockstorage_type_access WHERE project_id = ?", [project.compact])
    }

    private static func one(_ project: ProjectID, _ id: VolumeTypeID) -> SQLCondition {
        SQLCondition("project_id = ? AND type_id = ?", [project.compact, id])
    }
}
