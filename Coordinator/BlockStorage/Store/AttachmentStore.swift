import CoordinatorPlatform
import ProtocolModel

extension AttachmentStatus: SQLWord {}
extension AttachmentMode: SQLWord {}

/// How a ``VolumeAttachment`` stands in its row.
extension VolumeAttachment: TableRecord {
    public static let table = RecordTable<Self>("blockstorage_attachments")
    public static let blank = VolumeAttachment(
        id: .init(high: 0, low: 0), volume: .init(high: 0, low: 0), project: .init(high: 0, low: 0), server: nil,
        isManaged: false, createdAt: 0)

    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try column("uuid", &id, .key)
        try column("generation", &generation, .generation)
        try column("volume_id", &volume, .fixed)
        try column("project_id", &project)
        try column("server_id", &server)
        try column("status", &status)
        try column("mode", &mode)
        try column("is_managed", &isManaged, .fixed)
        try column("device", &device)
        try column("bus", &bus)
        try column("boot_index", &bootIndex)
        try column("deletes_volume", &deletesVolume)
        try column("tag", &tag)
        try column("node_id", &node)
        try column("hostname", &hostname)
        try column("connector", &connector)
        try column("created_at", &createdAt, .fixed)
        try column("attached_at", &attachedAt)
    }
}

/// The `blockstorage_attachments` table.
struct AttachmentStore: Sendable {
    private let table = VolumeAttachment.table

    func insert(_ attachment: VolumeAttachment, in transaction: any SQLTransaction) throws {
        try table.insert(attachment, in: transaction)
    }

    /// - Throws: `StoreError.stale` when someone changed it since it was read.
    func save(_ attachment: inout VolumeAttachment, in transaction: any SQLTransaction) throws {
        try table.update(attachment, in: transaction)
        attachment.generation += 1
    }

    func delete(_ id: VolumeAttachmentID, in transaction: any SQLTransaction) throws {
        try table.delete(id, in: transaction)
    }

    func deleteAll(of volume: VolumeID, in transaction: any SQLTransaction) throws {
        try table.delete(where: .equal("volume_id", volume), in: transaction)
    }

    func find(_ id: VolumeAttachmentID, in reader: any SQLReader) throws -> VolumeAttachment? {
        try table.find(id, in: reader)
    }

    func of(_ volume: VolumeID, in reader: any SQLReader) throws -> [VolumeAttachment] {
        try table.all(where: .equal("volume_id", volume), in: reader)
    }

    /// In the order in which they were made.
    func of(_ volumes: [VolumeID], in reader: any SQLReader) throws -> [VolumeID: [VolumeAttachment]] {
        let found = try reader.inPieces(volumes) { try table.all(where: .in("volume_id", Array($0)), in: reader) }
        return Dictionary(grouping: found, by: \.volume)
    }

    /// Those that the compute service made.
    func of(_ servers: [ServerID], in reader: any SQLReader) throws -> [ServerID: [VolumeAttachment]] {
        var found: [ServerID: [VolumeAttachment]] = [:]
        let all = try reader.inPieces(servers) { piece in
            try table.all(
                where: .all([.in("server_id", Array(piece)), .equal("is_managed", true)]), in: reader)
        }
        for attachment in all { if let server = attachment.server { found[server, default: []].append(attachment) } }
        return found
    }

    static let schema: ListSchema = {
        var schema = ListSchema(
            VolumeAttachment.table,
            columns: [
                "id": .init("uuid", .identifier), "volume_id": .init("volume_id", .identifier),
                "instance_id": .init("server_id", .identifier, isNullable: true),
                "instance_uuid": .init("server_id", .identifier, isNullable: true), "status": .init("status"),
                "attach_status": .init("status"), "created_at": .init("created_at", .number),
                "project_id": .init("project_id", .identifier)
            ], numberFollows: true)
        schema.identity.kind = .identifier
        return schema
    }()

    /// - Throws: ``UnknownMarker``
    func list(
        _ query: ListQuery, visible: SQLCondition, skipping offset: Int, in reader: any SQLReader
    ) throws -> [VolumeAttachment] {
        try OffsetPage.records(table, Self.schema, query, visible: visible, skipping: offset, in: reader)
    }
}
