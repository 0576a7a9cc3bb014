import CoordinatorPlatform
import ProtocolModel

/// How a ``TypeEncryption`` stands in its row.
extension TypeEncryption: TableRecord {
    public static let table = RecordTable<Self>("blockstorage_type_encryption")
    public static let blank = TypeEncryption(
        type: .init(high: 0, low: 0), id: .init(high: 0, low: 0), provider: "", controlLocation: "", cipher: nil,
        keySize: nil, createdAt: 0)

    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try column("type_id", &type, .key)
        try column("encryption_id", &id, .fixed)
        try column("provider", &provider)
        try column("control_location", &controlLocation)
        try column("cipher", &cipher)
        try column("key_size", &keySize)
        try column("created_at", &createdAt, .fixed)
        try column("updated_at", &updatedAt)
    }
}

/// The `blockstorage_type_encryption` table, and the defaults of projects.
struct TypeExtraStore: Sendable {
    private let table = TypeEncryption.table

    func encryption(of type: VolumeTypeID, in reader: any SQLReader) throws -> TypeEncryption? {
        try table.find(type, in: reader)
    }
    func insert(_ encryption: TypeEncryption, in transaction: any SQLTransaction) throws {
        try table.insert(encryption, in: transaction)
    }
    func save(_ encryption: TypeEncryption, in transaction: any SQLTransaction) throws {
        try table.update(encryption, in: transaction)
    }
    /// - Returns: `false` when there was none.
    @discardableResult
    func deleteEncryption(of type: VolumeTypeID, in transaction: any SQLTransaction) throws -> Bool {
        try table.delete(type, in: transaction)
    }

    // MARK: Defaults of projects

    func defaultType(of project: ProjectID, in reader: any SQLReader) throws -> VolumeTypeID? {
        try reader.first(
            "SELECT type_id FROM blockstorage_default_types WHERE project_id = ?", [project.compact]
        ) { try $0.id(0) }
    }

    /// The projects (as 32 digits) with their types.
    func defaults(in reader: any SQLReader) throws -> [(project: String, type: VolumeTypeID)] {
        try reader.query("SELECT project_id, type_id FROM blockstorage_default_types ORDER BY id") {
            ($0.text(0), try $0.id(1))
        }
    }

    func setDefault(_ type: VolumeTypeID, of project: ProjectID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO blockstorage_default_types (project_id, type_id) VALUES (?, ?)
            ON CONFLICT (project_id) DO UPDATE SET type_id = excluded.type_id
            """, [project.compact, type])
    }

    func unsetDefault(of project: ProjectID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "DELETE FROM blockstorage_default_types WHERE project_id = ?", [project.compact])
    }

    func isDefault(_ type: VolumeTypeID, in reader: any SQLReader) throws -> Bool {
        try reader.exists("blockstorage_default_types", .equal("type_id", type))
    }
}
