import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// The `blockstorage_volumes` table.
struct VolumeStore: Sendable {
    private let table = VolumeRecord.table

    func insert(_ volume: VolumeRecord, in transaction: any SQLTransaction) throws -> Int64 {
        try table.insert(volume, in: transaction)
    }

    /// Writes what can change, unless someone changed it since it was read.
    /// - Throws: `StoreError.stale` then.
    func save(_ volume: inout VolumeRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        volume.updatedAt = now
        try table.update(volume, in: transaction)
        volume.generation += 1
    }

    func find(_ id: VolumeID, in reader: any SQLReader) throws -> VolumeRecord? { try table.find(id, in: reader) }
    func find(_ ids: [VolumeID], in reader: any SQLReader) throws -> [VolumeRecord] {
        try table.find(ids, in: reader)
    }

    /// Those whose task is overdue, the longest overdue first, at most 100.
    func overdue(
        at now: Int64, skipping skipped: Int = 0, in reader: any SQLReader
    ) throws -> ReadableRows<VolumeRecord> {
        try table.readable(
            where: SQLCondition("task_deadline <= ?", [now]), order: "task_deadline, id", limit: 100,
            skipping: skipped, in: reader)
    }

    func on(_ node: NodeID, in reader: any SQLReader) throws -> [VolumeRecord] {
        try table.all(where: .equal("node_id", node), in: reader)
    }

    func removeRows(deletedBefore time: Int64, in transaction: any SQLTransaction) throws -> [VolumeID] {
        let gone = SQLCondition("deleted_at < ? AND node_id IS NULL", [time])
        let ids = try table.all(where: gone, order: "deleted_at", limit: 100, in: transaction).map(\.id)
        try table.delete(where: .in("uuid", ids), in: transaction)
        return ids
    }

    /// - Parameter volume: Without one, of any.
    func isImageWanted(_ sha512: String, on node: NodeID, in reader: any SQLReader) throws -> Bool {
        try table.exists(
            where: SQLCondition(
                "node_id = ? AND image_sha512 = ? AND deleted_at IS NULL AND task = ?",
                [node, sha512, VolumeTask.creating]), in: reader)
    }

    /// Volumes that are being made from it just now.
    func isBeingCloned(_ snapshot: VolumeSnapshotID, in reader: any SQLReader) throws -> Bool {
        try table.exists(
            where: SQLCondition(
                "source_snapshot = ? AND deleted_at IS NULL AND task = ?", [snapshot, VolumeTask.creating]),
            in: reader)
    }

    func isBeingCloned(_ volume: VolumeID, in reader: any SQLReader) throws -> Bool {
        try table.exists(
            where: SQLCondition(
                "source_volume = ? AND deleted_at IS NULL AND task = ?", [volume, VolumeTask.creating]),
            in: reader)
    }

    func isUsed(_ type: VolumeTypeID, in reader: any SQLReader) throws -> Bool {
        try table.exists(where: SQLCondition("type_id = ? AND deleted_at IS NULL", [type]), in: reader)
    }

    func ofType(_ type: VolumeTypeID, in reader: any SQLReader) throws -> [VolumeRecord] {
        try table.all(where: SQLCondition("type_id = ? AND deleted_at IS NULL", [type]), in: reader)
    }

    /// Volumes of a project that nobody has asked to go.
    func owned(by project: ProjectID, in reader: any SQLReader) throws -> [VolumeRecord] {
        try table.all(where: Self.staying(project), in: reader)
    }

    func countOwned(by project: ProjectID, in reader: any SQLReader) throws -> Int {
        try table.count(where: Self.staying(project), in: reader)
    }

    static func living(_ project: ProjectID) -> SQLCondition {
        SQLCondition("project_id = ? AND deleted_at IS NULL", [project])
    }
    private static func staying(_ project: ProjectID) -> SQLCondition {
        .all([living(project), SQLCondition("task IS NULL OR task <> ?", [VolumeTask.deleting])])
    }

    /// How many volumes and GiB a project has, by type.
    func usage(
        of project: ProjectID, in reader: any SQLReader
    ) throws -> [(type: VolumeTypeID, count: Int, sizeGiB: Int)] {
        let living = Self.living(project)
        return try reader.query(
            """
            SELECT type_id, COUNT(*), CAST(SUM(CASE WHEN wanted_gib > size_gib THEN wanted_gib ELSE size_gib END) AS BIGINT)
            FROM blockstorage_volumes WHERE \(living.sql) GROUP BY type_id
            """, living.arguments
        ) { (type: try $0.id(0), count: $0.int(1), sizeGiB: $0.int(2)) }
    }

    /// What is on each node, of each project.
    func load(
        in reader: any SQLReader
    ) throws -> [(node: NodeID, project: ProjectID, count: Int, sizeGiB: Int)] {
        try reader.query(
            """
            SELECT node_id, project_id, COUNT(*), CAST(SUM(size_gib) AS BIGINT) FROM blockstorage_volumes
            WHERE node_id IS NOT NULL AND deleted_at IS NULL GROUP BY node_id, project_id ORDER BY project_id
            """
        ) { (node: try $0.id(0), project: try $0.id(1), count: $0.int(2), sizeGiB: $0.int(3)) }
    }

    // MARK: Lists

    /// By the volume API's names.
    static let schema: ListSchema = {
        var schema = ListSchema(
            VolumeRecord.table,
            columns: columns,
            special: ["metadata": metadata("metadata"), "glance_metadata": metadata("image_metadata")],
            numberFollows: true)
        schema.identity.kind = .identifier
        return schema
    }()

    static let shownStatus = "COALESCE(task, status)"

    private static let columns: [String: ListSchema.Column] = [
        "id": .init("uuid", .identifier), "name": .init("name", isNullable: true),
        "display_name": .init("name", isNullable: true), "status": .init(shownStatus),
        "size": .init("size_gib", .number),
        "created_at": .init("created_at", .number), "updated_at": .init("updated_at", .number),
        "bootable": .init("is_bootable", .flag), "multiattach": .init("is_multiattach", .flag),
        "availability_zone": .init("COALESCE(zone, pinned_zone, 'nova')"),
        "project_id": .init("project_id", .identifier), "user_id": .init("user_id", .identifier),
        "volume_type_id": .init("type_id", .identifier), "group_id": .init("group_id", .identifier, isNullable: true),
        "snapshot_id": .init("source_snapshot", .identifier, isNullable: true),
        "source_volid": .init("source_volume", .identifier, isNullable: true),
        "host": .init("host || '@' || pool || '#' || pool", isNullable: true),
        "display_description": .init("description", isNullable: true),
        "description": .init("description", isNullable: true)
    ]

    /// `{"key": "value"}`: each pair is there.
    static func metadata(_ column: String) -> ListSchema.Special {
        { values in
            .all(
                values.map { text in
                    guard let pairs = MetadataFilter.pairs(text) else { return .never }
                    return .all(
                        pairs.sorted { $0.key < $1.key }.map { key, value in
                            let pair = "\(JSON.string(key).text):\(JSON.string(value).text)"
                            // A member begins behind a brace or a comma that no text can bring along.
                            return .any([.contains(column, "{\(pair)"), .contains(column, ",\(pair)")])
                        })
                })
        }
    }

    /// - Throws: ``UnknownMarker``
    func list(
        _ query: ListQuery, visible: SQLCondition, skipping offset: Int, in reader: any SQLReader
    ) throws -> [VolumeRecord] {
        try OffsetPage.records(table, Self.schema, query, visible: visible, skipping: offset, in: reader)
    }

    func summary(
        _ query: ListQuery, visible: SQLCondition, in reader: any SQLReader
    ) throws -> (count: Int, sizeGiB: Int) {
        let wanted = SQLCondition.all([visible] + query.filters.map(Self.schema.condition))
        return try reader.first(
            "SELECT COUNT(*), CAST(COALESCE(SUM(size_gib), 0) AS BIGINT) FROM blockstorage_volumes WHERE \(wanted.sql)",
            wanted.arguments
        ) { ($0.int(0), $0.int(1)) } ?? (0, 0)
    }

    /// The metadata of those that match, at most 1000 different ones.
    func metadata(_ query: ListQuery, visible: SQLCondition, in reader: any SQLReader) throws -> [[String: String]] {
        let wanted = SQLCondition.all([visible] + query.filters.map(Self.schema.condition))
        return try reader.query(
            "SELECT DISTINCT metadata FROM blockstorage_volumes WHERE \(wanted.sql) LIMIT 1000", wanted.arguments
        ) { try [String: String].read($0, 0) }
    }
}
