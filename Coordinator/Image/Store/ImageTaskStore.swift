import CoordinatorPlatform
import ProtocolModel

extension ImageTask {
    static let list: ListSchema = {
        var schema = ListSchema(
            table,
            columns: [
                "id": .init("uuid", isFilter: false), "status": .init("status"), "type": .init("type"),
                "created_at": .init("created_at", .number, isFilter: false),
                "updated_at": .init("updated_at", .number, isFilter: false),
                "expires_at": .init("expires_at", .number, isNullable: true, isFilter: false)
            ])
        schema.identity.kind = .identifier
        return schema
    }()
}

/// The table of tasks.
struct ImageTaskStore: Sendable {
    /// - Parameter deadline: In place of how long it might wait.
    /// - Returns: Whether the task was waiting.
    @discardableResult
    func begin(
        _ id: ImageTaskID, at now: Int64, deadline: Int64, in transaction: any SQLTransaction
    ) throws -> Bool {
        try transaction.execute(
            """
            UPDATE image_tasks SET status = 'processing', message = '', updated_at = ?, deadline = ?
            WHERE uuid = ? AND status = 'pending'
            """, [now, deadline, id]) == 1
    }

    /// How many imports of each project are under way.
    func underWay(_ lane: ImportLane, in reader: any SQLReader) throws -> [ProjectID?: Int] {
        let owners: [ProjectID?] = try reader.query(
            "SELECT owner FROM image_tasks WHERE lane = ? AND status = 'processing'", [lane.rawValue]
        ) { try $0.optionalID(0) }
        return Dictionary(owners.map { ($0, 1) }, uniquingKeysWith: +)
    }

    /// The import of each project that has waited for the longest time, oldest first.
    func heads(_ lane: ImportLane, limit: Int, in reader: any SQLReader) throws -> [ImportLane.Head] {
        let areFirst = SQLCondition(
            """
            id IN (SELECT first FROM (
                SELECT MIN(id) AS first FROM image_tasks WHERE lane = ? AND status = 'pending' GROUP BY owner
            ) AS heads ORDER BY first LIMIT ?)
            """, [lane.rawValue, limit])
        return try ImageTask.table.all(where: areFirst, in: reader).map { .init(task: $0.id, owner: $0.owner) }
    }

    /// Imports whose time ended before their turn came.
    func overdue(_ lane: ImportLane, at now: Int64, in reader: any SQLReader) throws -> [ImageTaskID] {
        let isOver = SQLCondition("lane = ? AND status = 'pending' AND deadline <= ?", [lane.rawValue, now])
        return try ImageTask.table.all(where: isOver, limit: 500, in: reader).map(\.id)
    }

    /// - Returns: Whether the task had not ended before.
    @discardableResult
    func end(
        _ id: ImageTaskID, _ status: ImageTask.Status, result: JSON = .null, message: String, at now: Int64,
        expires: Int64, in transaction: any SQLTransaction
    ) throws -> Bool {
        try transaction.execute(
            """
            UPDATE image_tasks SET status = ?, result = ?, message = ?, updated_at = ?, expires_at = ?
            WHERE uuid = ? AND status IN ('pending', 'processing')
            """, [status, result, message, now, expires, id]) == 1
    }

    /// Ends what an image was still waiting for.
    func endPending(
        of image: ImageID, message: String, at now: Int64, expires: Int64, in transaction: any SQLTransaction
    ) throws {
        try transaction.execute(
            """
            UPDATE image_tasks SET status = 'failure', message = ?, updated_at = ?, expires_at = ?
            WHERE image = ? AND status = 'pending'
            """, [message, now, expires, image])
    }

    func tasks(of image: ImageID, in reader: any SQLReader) throws -> [ImageTask] {
        try ImageTask.table.all(where: .equal("image", image), limit: 1_000, in: reader)
    }

    /// Forgets tasks whose time is over.
    func expire(at now: Int64, in transaction: any SQLTransaction) throws {
        try ImageTask.table.delete(where: SQLCondition("expires_at < ?", [now]), in: transaction)
    }
}
