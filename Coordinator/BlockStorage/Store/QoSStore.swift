import CoordinatorPlatform
import ProtocolModel

extension QoSSpecs.Consumer: SQLWord {}

/// How ``QoSSpecs`` stand in their row.
extension QoSSpecs: TableRecord {
    public static let table = RecordTable<Self>("blockstorage_qos")
    public static let blank = QoSSpecs(
        id: .init(high: 0, low: 0), name: "", consumer: .backEnd, specs: [:], createdAt: 0)

    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try column("uuid", &id, .key)
        try column("generation", &generation, .generation)
        try column("name", &name, .fixed)
        try column("consumer", &consumer)
        try column("specs", &specs)
        try column("created_at", &createdAt, .fixed)
    }
}

/// The `blockstorage_qos` table.
struct QoSStore: Sendable {
    private let table = QoSSpecs.table

    func insert(_ specs: QoSSpecs, in transaction: any SQLTransaction) throws {
        try table.insert(specs, in: transaction)
    }
    /// - Throws: `StoreError.stale` when someone changed it since it was read.
    func save(_ specs: QoSSpecs, in transaction: any SQLTransaction) throws { try table.update(specs, in: transaction) }
    func find(_ id: QoSSpecsID, in reader: any SQLReader) throws -> QoSSpecs? { try table.find(id, in: reader) }
    func isTaken(_ name: String, in reader: any SQLReader) throws -> Bool {
        try table.exists(where: .equal("name", name), in: reader)
    }
    func delete(_ id: QoSSpecsID, in transaction: any SQLTransaction) throws {
        try table.delete(id, in: transaction)
    }

    static let schema: ListSchema = {
        var schema = ListSchema(
            QoSSpecs.table,
            columns: [
                "id": .init("uuid", .identifier), "name": .init("name"), "consumer": .init("consumer"),
                "created_at": .init("created_at", .number)
            ], numberFollows: true)
        schema.identity.kind = .identifier
        return schema
    }()

    /// - Throws: ``UnknownMarker``
    func list(_ query: ListQuery, skipping offset: Int, in reader: any SQLReader) throws -> [QoSSpecs] {
        try OffsetPage.records(table, Self.schema, query, visible: .always, skipping: offset, in: reader)
    }

    /// Of the type, where it has any.
    func of(_ type: VolumeTypeID, in reader: any SQLReader) throws -> QoSSpecs? {
        try table.first(
            where: SQLCondition(
                "uuid = (SELECT t.qos_specs_id FROM blockstorage_types t WHERE t.uuid = ?)", [type]), in: reader)
    }
}
