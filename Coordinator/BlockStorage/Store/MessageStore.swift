import CoordinatorPlatform
import ProtocolModel

extension UserMessage.Action: SQLWord {}

/// How a ``UserMessage`` stands in its row.
extension UserMessage: TableRecord {
    public static let table = RecordTable<Self>("blockstorage_messages")
    public static let blank = UserMessage(
        id: .init(high: 0, low: 0), project: .init(high: 0, low: 0), requestID: "", resourceType: "",
        resource: .init(high: 0, low: 0), action: .other, text: "", createdAt: 0)

    public mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try column("uuid", &id, .key)
        try column("project_id", &project, .fixed)
        try column("request_id", &requestID, .fixed)
        try column("resource_type", &resourceType, .fixed)
        try column("resource_id", &resource, .fixed)
        try column("action", &action, .fixed)
        try column("text", &text, .fixed)
        try column("created_at", &createdAt, .fixed)
    }
}

/// The `blockstorage_messages` table.
struct MessageStore: Sendable {
    private let table = UserMessage.table
    /// Messages of one project that are kept.
    static let most = 1000

    /// The oldest ones of the project make room.
    func insert(_ message: UserMessage, in transaction: any SQLTransaction) throws {
        try table.insert(message, in: transaction)
        let mine = SQLCondition.equal("project_id", message.project)
        guard try table.count(where: mine, in: transaction) > Self.most else { return }
        let oldest = try table.all(where: mine, limit: 1, in: transaction).map(\.id)
        try table.delete(where: .in("uuid", oldest), in: transaction)
    }

    func find(_ id: UserMessageID, in reader: any SQLReader) throws -> UserMessage? { try table.find(id, in: reader) }
    func delete(_ id: UserMessageID, in transaction: any SQLTransaction) throws {
        try table.delete(id, in: transaction)
    }
    func deleteAll(of project: ProjectID, in transaction: any SQLTransaction) throws {
        try table.delete(where: .equal("project_id", project), in: transaction)
    }
    func forget(before time: Int64, in transaction: any SQLTransaction) throws {
        try table.delete(where: SQLCondition("created_at < ?", [time]), in: transaction)
    }

    static let schema: ListSchema = {
        var schema = ListSchema(
            UserMessage.table,
            columns: [
                "id": .init("uuid", .identifier), "created_at": .init("created_at", .number),
                "resource_uuid": .init("resource_id", .identifier), "resource_type": .init("resource_type"),
                "request_id": .init("request_id")
            ], special: ["message_level": { $0.contains("ERROR") ? .always : .never }], numberFollows: true)
        schema.identity.kind = .identifier
        return schema
    }()

    /// - Throws: ``UnknownMarker``
    func list(
        _ query: ListQuery, visible: SQLCondition, skipping offset: Int, in reader: any SQLReader
    ) throws -> [UserMessage] {
        try OffsetPage.records(table, Self.schema, query, visible: visible, skipping: offset, in: reader)
    }
}
