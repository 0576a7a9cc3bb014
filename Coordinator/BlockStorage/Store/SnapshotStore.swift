import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

extension SnapshotStatus: SQLWord {}
extension SnapshotTask: SQLWord {}

/// How a ``SnapshotRecord`` stands in its row.
extension SnapshotRecord: TableRecord {
    public static let table = RecordTable<Self>("blockstorage_snapshots")
    public static let blank = SnapshotRecord(
        id: .init(high: 0, low: 0), of: .blank, project: .init(high: 0, low: 0), user: .init(high: 0, low: 0),
        createdAt: 0)

    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try column("uuid", &id, .key)
        try column("generation", &generation, .generation)
        try column("volume_id", &volume, .fixed)
        try column("project_id", &project)
        try column("user_id", &user)
        try column("name", &name)
        try column("description", &description)
        try column("size_gib", &sizeGiB, .fixed)
        try column("type_id", &type)
        try column("pool", &pool, .fixed)
        try column("status", &state.status)
        try column("task", &state.task)
        try column("is_failing", &state.isFailing)
        try column("metadata", &metadata)
        try column("group_id", &group)
        try column("progress", &progress)
        try column("created_at", &createdAt, .fixed)
        try column("updated_at", &updatedAt)
        try hostedColumns(&column)
    }
}

/// The `blockstorage_snapshots` table.
struct SnapshotStore: Sendable {
    private let table = SnapshotRecord.table

    func insert(_ snapshot: SnapshotRecord, in transaction: any SQLTransaction) throws -> Int64 {
        try table.insert(snapshot, in: transaction)
    }

    /// - Throws: `StoreError.stale` when someone changed it since it was read.
    func save(_ snapshot: inout SnapshotRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        snapshot.updatedAt = now
        try table.update(snapshot, in: transaction)
        snapshot.generation += 1
    }

    func find(_ id: VolumeSnapshotID, in reader: any SQLReader) throws -> SnapshotRecord? {
        try table.find(id, in: reader)
    }
    func find(_ ids: [VolumeSnapshotID], in reader: any SQLReader) throws -> [SnapshotRecord] {
        try table.find(ids, in: reader)
    }

    func overdue(
        at now: Int64, skipping skipped: Int = 0, in reader: any SQLReader
    ) throws -> ReadableRows<SnapshotRecord> {
        try table.readable(
            where: SQLCondition("task_deadline <= ?", [now]), order: "task_deadline, id", limit: 100,
            skipping: skipped, in: reader)
    }

    func on(_ node: NodeID, in reader: any SQLReader) throws -> [SnapshotRecord] {
        try table.all(where: .equal("node_id", node), in: reader)
    }

    func removeRows(deletedBefore time: Int64, in transaction: any SQLTransaction) throws -> [VolumeSnapshotID] {
        let gone = SQLCondition("deleted_at < ? AND node_id IS NULL", [time])
        let ids = try table.all(where: gone, order: "deleted_at", limit: 100, in: transaction).map(\.id)
        try table.delete(where: .in("uuid", ids), in: transaction)
        return ids
    }

    /// Those of a volume, the oldest first.
    func of(_ volume: VolumeID, in reader: any SQLReader) throws -> [SnapshotRecord] {
        try table.all(where: SQLCondition("volume_id = ? AND deleted_at IS NULL", [volume]), in: reader)
    }

    func owned(by project: ProjectID, in reader: any SQLReader) throws -> [SnapshotRecord] {
        try table.all(where: Self.staying(project), in: reader)
    }

    func countOwned(by project: ProjectID, in reader: any SQLReader) throws -> Int {
        try table.count(where: Self.staying(project), in: reader)
    }

    static func living(_ project: ProjectID) -> SQLCondition {
        SQLCondition("project_id = ? AND deleted_at IS NULL", [project])
    }
    private static func staying(_ project: ProjectID) -> SQLCondition {
        .all([living(project), SQLCondition("task IS NULL OR task <> ?", [SnapshotTask.deleting])])
    }

    /// How many snapshots and GiB a project has, by type.
    func usage(
        of project: ProjectID, in reader: any SQLReader
    ) throws -> [(type: VolumeTypeID, count: Int, sizeGiB: Int)] {
        let living = Self.living(project)
        return try reader.query(
            """
            SELECT type_id, COUNT(*), CAST(SUM(size_gib) AS BIGINT) FROM blockstorage_snapshots
            WHERE \(living.sql) GROUP BY type_id
            """, living.arguments
        ) { (type: try $0.id(0), count: $0.int(1), sizeGiB: $0.int(2)) }
    }

    func count(_ query: ListQuery, visible: SQLCondition, in reader: any SQLReader) throws -> Int {
        try table.count(where: .all([visible] + query.filters.map(Self.schema.condition)), in: reader)
    }

    /// By the volume API's names.
    static let schema: ListSchema = {
        var schema = ListSchema(
            SnapshotRecord.table,
            columns: [
                "id": .init("uuid", .identifier), "name": .init("name", isNullable: true),
                "display_name": .init("name", isNullable: true), "status": .init("COALESCE(task, status)"),
                "volume_id": .init("volume_id", .identifier), "created_at": .init("created_at", .number),
                "updated_at": .init("updated_at", .number), "volume_size": .init("size_gib", .number),
                "availability_zone": .init("COALESCE(zone, 'nova')"),
                "project_id": .init("project_id", .identifier), "user_id": .init("user_id", .identifier),
                "display_description": .init("description", isNullable: true)
            ], special: ["metadata": VolumeStore.metadata("metadata")], numberFollows: true)
        schema.identity.kind = .identifier
        return schema
    }()

    /// - Throws: ``UnknownMarker``
    func list(
        _ query: ListQuery, visible: SQLCondition, skipping offset: Int, in reader: any SQLReader
    ) throws -> [SnapshotRecord] {
        try OffsetPage.records(table, Self.schema, query, visible: visible, skipping: offset, in: reader)
    }
}
