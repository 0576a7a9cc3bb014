import CoordinatorPlatform
import ProtocolModel
import ProtocolWire

/// Operations that were asked for and have not ended.
struct OperationStore: Sendable {
    struct Overdue: Sendable {
        var id: OperationID
        var node: NodeID
        var deadline: Int64
    }

    func insert(_ operation: Operation, node: NodeID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "INSERT INTO operations (uuid, node, action, deadline) VALUES (?, ?, ?, ?)",
            [operation.id, node, try operation.wireBytes, operation.deadline])
    }

    func pending(of node: NodeID, in reader: any SQLReader) throws -> [Operation] {
        try reader.query("SELECT action FROM operations WHERE node = ? ORDER BY id LIMIT 1000", [node]) {
            // One that is damaged keeps no other from its host: it ends by its deadline.
            try? Operation(wireBytes: $0.blob(0))
        }.compactMap(\.self)
    }

    func find(_ id: OperationID, node: NodeID, in reader: any SQLReader) throws -> Operation? {
        try reader.first("SELECT action FROM operations WHERE uuid = ? AND node = ?", [id, node]) {
            try Operation(wireBytes: $0.blob(0))
        }
    }

    /// - Returns: The operation, if it had not ended before and can be read: what waits for one has a deadline of its own.
    func take(_ id: OperationID, node: NodeID, in transaction: any SQLTransaction) throws -> Operation? {
        try transaction.first(
            "DELETE FROM operations WHERE uuid = ? AND node = ? RETURNING action", [id, node]
        ) { try? Operation(wireBytes: $0.blob(0)) } ?? nil
    }

    /// Those that a condition picks out of what is overdue, the longest overdue first, at most 100: what it does not pick
    /// stands in nobody's way.
    func overdue(
        at now: Int64, in reader: any SQLReader, where isDue: (Overdue) -> Bool = { _ in true }
    ) throws -> [Overdue] {
        var found: [Overdue] = []
        for page in 0..<Self.mostPages where found.count < 100 {
            let rows = try reader.query(
                """
                SELECT uuid, node, deadline FROM operations WHERE deadline < ? ORDER BY deadline, id LIMIT ? OFFSET ?
                """, [now, Self.pageSize, page * Self.pageSize]
            ) { Overdue(id: try $0.id(0), node: try $0.id(1), deadline: $0.integer(2)) }
            found += rows.filter(isDue)
            if rows.count < Self.pageSize { break }
        }
        return found
    }

    private static let mostPages = 50
    private static let pageSize = 200

    /// Nodes with operations that have not ended.
    func nodes(in reader: any SQLReader) throws -> [NodeID] {
        try reader.query("SELECT DISTINCT node FROM operations") { try $0.id(0) }
    }

    func takeAll(of node: NodeID, in transaction: any SQLTransaction) throws -> [Operation] {
        try transaction.query("DELETE FROM operations WHERE node = ? RETURNING action", [node]) {
            try? Operation(wireBytes: $0.blob(0))
        }.compactMap(\.self)
    }
}
