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
            try Operation(wireBytes: $0.blob(0))
        }
    }

    func find(_ id: OperationID, node: NodeID, in reader: any SQLReader) throws -> Operation? {
        try reader.first("SELECT action FROM operations WHERE uuid = ? AND node = ?", [id, node]) {
            try Operation(wireBytes: $0.blob(0))
        }
    }

    /// - Returns: The operation, if it had not ended before.
    func take(_ id: OperationID, node: NodeID, in transaction: any SQLTransaction) throws -> Operation? {
        try transaction.first(
            "DELETE FROM operations WHERE uuid = ? AND node = ? RETURNING action", [id, node]
        ) { try Operation(wireBytes: $0.blob(0)) }
    }

    func overdue(at now: Int64, in reader: any SQLReader) throws -> [Overdue] {
        try reader.query("SELECT uuid, node, deadline FROM operations WHERE deadline < ? ORDER BY id LIMIT 100", [now])
        {
            Overdue(id: try $0.id(0), node: try $0.id(1), deadline: $0.integer(2))
        }
    }

    /// Nodes with operations that have not ended.
    func nodes(in reader: any SQLReader) throws -> [NodeID] {
        try reader.query("SELECT DISTINCT node FROM operations") { try $0.id(0) }
    }

    func takeAll(of node: NodeID, in transaction: any SQLTransaction) throws -> [Operation] {
        try transaction.query("DELETE FROM operations WHERE node = ? RETURNING action", [node]) {
            try Operation(wireBytes: $0.blob(0))
        }
    }
}
