import CoordinatorPlatform
import ProtocolModel

/// The columns that tables of hosted resources have in common, under the same names in all of them.
extension HostedRecord {
    /// `task_deadline`, `node_id`, `host`, `zone`, `plan_generation`, `attempts`, `excluded`, `action_id`,
    /// `operation_id`, `deleted_at`; and of the fault `fault_code`, `fault_message`, `fault_details`, `fault_at`.
    public mutating func hostedColumns(_ column: inout some ColumnVisitor) throws {
        try column("task_deadline", &taskDeadline)
        try placeColumns(&column)
        try column("plan_generation", &planGeneration)
        try column("attempts", &attempts)
        try excludedColumn(&column)
        try column("action_id", &actionID)
        try column("operation_id", &operation)
        try column("deleted_at", &deletedAt)
        try faultColumns(&column)
    }

    private mutating func placeColumns(_ column: inout some ColumnVisitor) throws {
        var node = host?.node
        var hostname = host?.hostname
        var zone = host?.zone
        try column("node_id", &node)
        try column("host", &hostname)
        try column("zone", &zone)
        if column.isReading { host = node.map { HostPlace(node: $0, hostname: hostname ?? "", zone: zone ?? "") } }
    }

    private mutating func faultColumns(_ column: inout some ColumnVisitor) throws {
        var code = fault?.code
        var message = fault?.message
        var details = fault?.details
        var time = fault?.createdAt
        try column("fault_code", &code)
        try column("fault_message", &message)
        try column("fault_details", &details)
        try column("fault_at", &time)
        guard column.isReading else { return }
        fault = code.map { HostedFault(code: $0, message: message ?? "", details: details ?? "", createdAt: time ?? 0) }
    }

    private mutating func excludedColumn(_ column: inout some ColumnVisitor) throws {
        var reasons = Dictionary(excluded.map { ($0.key.text, $0.value) }, uniquingKeysWith: { first, _ in first })
        try column("excluded", &reasons)
        guard column.isReading else { return }
        excluded = [:]
        for (key, reason) in reasons {
            guard let node = NodeID(key) else { throw StoreError.corrupt("'\(key)' is not an identifier") }
            excluded[node] = reason
        }
    }
}
