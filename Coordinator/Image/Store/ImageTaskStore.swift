import CoordinatorPlatform
import ProtocolModel

/// The table of tasks.
struct ImageTaskStore: Sendable {
    struct Filter: Sendable {
        var status: String?
        var type: String?
        /// The task after which the page begins.
        var marker: ImageTask?
        /// `created_at`, `updated_at`, `status`, `type` or `id`, as ``columns(of:)`` knows them.
        var sortKey = "created_at"
        var isDescending = true
        var limit = 25
    }

    private static let columns = """
        uuid, type, status, image, owner, user_id, request_id, input, result, message, created_at, updated_at, deadline,
        expires_at
        """

    func insert(_ task: ImageTask, in lane: ImportLane, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "INSERT INTO image_tasks (\(Self.columns), lane) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                task.id, task.type, task.status.rawValue, task.image, task.owner, task.user, task.requestID,
                task.input.text, task.result.text, task.message, task.createdAt, task.updatedAt, task.deadline,
                task.expiresAt, lane.rawValue
            ])
    }

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
        let counts = try reader.query(
            "SELECT owner, COUNT(*) FROM image_tasks WHERE lane = ? AND status = 'processing' GROUP BY owner",
            [lane.rawValue]
        ) { (try $0.optionalID(0) as ProjectID?, $0.int(1)) }
        return Dictionary(counts) { first, _ in first }
    }

    /// The import of each project that has waited for the longest time, oldest first.
    func heads(_ lane: ImportLane, limit: Int, in reader: any SQLReader) throws -> [ImportLane.Head] {
        try reader.query(
            """
            SELECT uuid, owner FROM image_tasks WHERE id IN (
                SELECT first FROM (
                    SELECT MIN(id) AS first FROM image_tasks WHERE lane = ? AND status = 'pending' GROUP BY owner
                ) AS heads ORDER BY first LIMIT ?)
            ORDER BY id
            """, [lane.rawValue, limit]
        ) { ImportLane.Head(task: try $0.id(0), owner: try $0.optionalID(1)) }
    }

    /// Imports whose time ended before their turn came.
    func overdue(_ lane: ImportLane, at now: Int64, in reader: any SQLReader) throws -> [ImageTaskID] {
        try reader.query(
            "SELECT uuid FROM image_tasks WHERE lane = ? AND status = 'pending' AND deadline <= ? ORDER BY id LIMIT 500",
            [lane.rawValue, now]
        ) { try $0.id(0) }
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
            """, [status.rawValue, result.text, message, now, expires, id]) == 1
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

    func task(_ id: ImageTaskID, in reader: any SQLReader) throws -> ImageTask? {
        try reader.first("SELECT \(Self.columns) FROM image_tasks WHERE uuid = ?", [id], Self.map)
    }

    func tasks(of image: ImageID, in reader: any SQLReader) throws -> [ImageTask] {
        try reader.query(
            "SELECT \(Self.columns) FROM image_tasks WHERE image = ? ORDER BY id LIMIT 1000", [image], Self.map)
    }

    /// - Returns: `nil` for a sort key that there is not.
    func tasks(_ filter: Filter, in reader: any SQLReader) throws -> [ImageTask]? {
        let keys = [
            "created_at": "created_at", "updated_at": "updated_at", "status": "status", "type": "type", "id": "uuid",
            "expires_at": "COALESCE(expires_at, 0)"
        ]
        guard let key = keys[filter.sortKey] else { return nil }
        var conditions = ["1 = 1"]
        var arguments: [any SQLArgument] = []
        for (column, value) in [("status", filter.status), ("type", filter.type)] {
            guard let value else { continue }
            conditions.append("\(column) = ?")
            arguments.append(value)
        }
        let sign = filter.isDescending ? "<" : ">"
        if let marker = filter.marker {
            conditions.append("(\(key) \(sign) ? OR (\(key) = ? AND uuid \(sign) ?))")
            let value = Self.value(of: filter.sortKey, marker)
            arguments += [value, value, marker.id]
        }
        let direction = filter.isDescending ? "DESC" : "ASC"
        return try reader.query(
            """
            SELECT \(Self.columns) FROM image_tasks WHERE \(conditions.joined(separator: " AND "))
            ORDER BY \(key) \(direction), uuid \(direction) LIMIT \(filter.limit)
            """, arguments, Self.map)
    }

    /// Forgets tasks whose time is over.
    func expire(at now: Int64, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM image_tasks WHERE expires_at IS NOT NULL AND expires_at < ?", [now])
    }

    private static func value(of key: String, _ task: ImageTask) -> any SQLArgument {
        switch key {
        case "updated_at": task.updatedAt
        case "status": task.status.rawValue
        case "type": task.type
        case "id": task.id
        case "expires_at": task.expiresAt ?? 0
        default: task.createdAt
        }
    }

    private static func map(_ row: any SQLRow) throws -> ImageTask {
        guard let status = ImageTask.Status(rawValue: row.text(2)) else {
            throw StoreError.corrupt("image task with status '\(row.text(2))'")
        }
        return ImageTask(
            id: try row.id(0), type: row.text(1), status: status, image: try row.id(3), owner: try row.optionalID(4),
            user: try row.id(5), requestID: row.text(6), input: try JSON.parse(row.text(7)),
            result: try JSON.parse(row.text(8)), message: row.text(9), createdAt: row.integer(10),
            updatedAt: row.integer(11), deadline: row.integer(12), expiresAt: row.optionalInteger(13))
    }
}
