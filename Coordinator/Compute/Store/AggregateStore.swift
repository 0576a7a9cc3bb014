import CoordinatorPlatform
import ProtocolModel

extension Aggregate: TableRecord {
    package static let table = RecordTable<Self>("compute_aggregates")
    package static let blank = Self(id: AnyID(high: 0, low: 0), name: "", createdAt: 0)

    package mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try column("uuid", &id, .fixed)
        try column("name", &name)
        try column("metadata", &metadata)
        try column("created_at", &createdAt, .fixed)
        try column("updated_at", &updatedAt)
    }
}

/// A row of `compute_aggregate_hosts`.
private struct AggregateHost: TableRecord {
    var number: Int64 = 0
    var aggregate: Int64 = 0
    var node = NodeID(high: 0, low: 0)

    static let table = RecordTable<Self>("compute_aggregate_hosts")
    static let blank = Self()

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try column("aggregate_id", &aggregate, .fixed)
        try column("node_id", &node, .fixed)
    }
}

/// Host aggregates and the hosts in them.
struct AggregateStore: Sendable {
    private let table = Aggregate.table

    /// - Returns: The row's key, which is the API's id.
    func insert(_ aggregate: Aggregate, in transaction: any SQLTransaction) throws -> Int64 {
        try table.insert(aggregate, in: transaction)
    }

    func update(_ aggregate: Aggregate, in transaction: any SQLTransaction) throws {
        try table.update(aggregate, in: transaction)
    }

    func find(_ number: Int64, in reader: any SQLReader) throws -> Aggregate? { try table.find(number, in: reader) }

    func isTaken(_ name: String, but number: Int64 = 0, in reader: any SQLReader) throws -> Bool {
        try table.exists(where: SQLCondition("name = ? AND id <> ?", [name, number]), in: reader)
    }

    func all(in reader: any SQLReader) throws -> [Aggregate] { try table.all(in: reader) }

    func delete(_ number: Int64, in transaction: any SQLTransaction) throws {
        try table.delete(number, in: transaction)
    }

    // MARK: Hosts

    /// By the aggregate's number, in the order in which they came.
    func hosts(in reader: any SQLReader) throws -> [Int64: [NodeID]] {
        try AggregateHost.table.all(in: reader).reduce(into: [:]) { $0[$1.aggregate, default: []].append($1.node) }
    }

    func hosts(of aggregate: Int64, in reader: any SQLReader) throws -> [NodeID] {
        try reader.query(
            "SELECT node_id FROM compute_aggregate_hosts WHERE aggregate_id = ? ORDER BY id", [aggregate]
        ) { try $0.id(0) }
    }

    /// The aggregates that a host is in.
    func aggregates(of node: NodeID, in reader: any SQLReader) throws -> [Aggregate] {
        try table.all(
            where: SQLCondition(
                "id IN (SELECT h.aggregate_id FROM compute_aggregate_hosts h WHERE h.node_id = ?)", [node]),
            in: reader)
    }

    /// - Returns: `false` when it is there already.
    func add(_ node: NodeID, to aggregate: Int64, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.execute(
            """
            INSERT INTO compute_aggregate_hosts (aggregate_id, node_id) VALUES (?, ?)
            ON CONFLICT (aggregate_id, node_id) DO NOTHING
            """, [aggregate, node]) == 1
    }

    /// - Returns: `false` when it was not there.
    func remove(_ node: NodeID, from aggregate: Int64, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.execute(
            "DELETE FROM compute_aggregate_hosts WHERE aggregate_id = ? AND node_id = ?", [aggregate, node]) == 1
    }

    func removeAll(of node: NodeID, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM compute_aggregate_hosts WHERE node_id = ?", [node])
    }

    /// The zones that aggregates give hosts.
    func zones(in reader: any SQLReader) throws -> [NodeID: String] {
        let hosts = try hosts(in: reader)
        return try all(in: reader).reduce(into: [:]) { zones, aggregate in
            guard let zone = aggregate.zone else { return }
            for node in hosts[aggregate.number] ?? [] where zones[node] == nil { zones[node] = zone }
        }
    }
}
