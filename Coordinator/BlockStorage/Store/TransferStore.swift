import CoordinatorPlatform
import ProtocolModel

/// How a ``VolumeTransfer`` stands in its row.
extension VolumeTransfer: TableRecord {
    public static let table = RecordTable<Self>("blockstorage_transfers")
    public static let blank = VolumeTransfer(
        id: .init(high: 0, low: 0), volume: .init(high: 0, low: 0), project: .init(high: 0, low: 0), name: nil,
        keyHash: "", salt: "", leavesSnapshots: false, createdAt: 0)

    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try column("uuid", &id, .key)
        try column("volume_id", &volume, .fixed)
        try column("project_id", &project, .fixed)
        try column("name", &name, .fixed)
        try column("key_hash", &keyHash, .fixed)
        try column("salt", &salt, .fixed)
        try column("leaves_snapshots", &leavesSnapshots, .fixed)
        try column("created_at", &createdAt, .fixed)
    }
}

/// The `blockstorage_transfers` table.
struct TransferStore: Sendable {
    private let table = VolumeTransfer.table

    func insert(_ transfer: VolumeTransfer, in transaction: any SQLTransaction) throws {
        try table.insert(transfer, in: transaction)
    }

    func find(_ id: VolumeTransferID, in reader: any SQLReader) throws -> VolumeTransfer? {
        try table.find(id, in: reader)
    }

    /// - Returns: `false` when it was gone already: somebody else accepted or deleted it.
    func delete(_ id: VolumeTransferID, in transaction: any SQLTransaction) throws -> Bool {
        try table.delete(id, in: transaction)
    }

    func deleteAll(of volume: VolumeID, in transaction: any SQLTransaction) throws {
        try table.delete(where: .equal("volume_id", volume), in: transaction)
    }

    static let schema: ListSchema = {
        var schema = ListSchema(
            VolumeTransfer.table,
            columns: [
                "id": .init("uuid", .identifier), "name": .init("name", isNullable: true),
                "display_name": .init("name", isNullable: true), "volume_id": .init("volume_id", .identifier),
                "created_at": .init("created_at", .number)
            ], numberFollows: true)
        schema.identity.kind = .identifier
        return schema
    }()

    /// - Throws: ``UnknownMarker``
    func list(
        _ query: ListQuery, visible: SQLCondition, skipping offset: Int, in reader: any SQLReader
    ) throws -> [VolumeTransfer] {
        try OffsetPage.records(table, Self.schema, query, visible: visible, skipping: offset, in: reader)
    }
}
