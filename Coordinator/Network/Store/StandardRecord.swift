import CoordinatorPlatform
import ProtocolModel

/// A record with what every resource of this slice has.
protocol StandardRecord: TableRecord {
    var project: ProjectID { get }
    var standard: Standard { get set }
}

extension Standard {
    static let blank = Standard(createdAt: 0)

    /// - Parameter hasName: Rules have none.
    mutating func columns(_ column: inout some ColumnVisitor, hasName: Bool = true) throws {
        if hasName { try column("name", &name) }
        try column("description", &description)
        try column("revision", &revision, .generation)
        try column("created_at", &createdAt, .fixed)
        try column("updated_at", &updatedAt)
    }
}

extension Identifier {
    /// What a record has before it is read.
    static var blank: Self { Self(high: 0, low: 0) }
}

extension IPAddress {
    static let blank = IPAddress(family: .ipv4, bits: 0)
}

extension IPPrefix {
    static let blank: IPPrefix = {
        guard let whole = IPPrefix(.blank, length: 0) else { preconditionFailure("every family has the length 0") }
        return whole
    }()
}

extension TagSet {
    /// Of all resources of the slice.
    static let network = TagSet(table: "network_tags", owner: "resource_id")
}

extension RecordTable where Record: StandardRecord {
    /// - Throws: ``StoreError/stale(_:)`` when `record` is not the newest revision.
    func update(_ record: Record, at now: Int64, in transaction: any SQLTransaction) throws {
        var record = record
        record.standard.updatedAt = now
        try update(record, in: transaction)
    }

    /// Deletes the resource with its tags and with what lets others use it.
    func remove<Resource>(_ id: Identifier<Resource>, in transaction: any SQLTransaction) throws {
        try TagSet.network.removeAll(from: id, in: transaction)
        try unshare(id, in: transaction)
        try delete(id, in: transaction)
    }
}

extension SQLCondition {
    /// A project's rows, in the form in which its id stands in this slice's tables.
    static func project(_ project: ProjectID?, _ column: String = "project_id") -> Self {
        .equal(column, project?.compact)
    }
}

extension SQLReader {
    /// Looks up what belongs to many owners, in the order of the statement.
    /// - Parameters:
    ///   - column: The owner's.
    ///   - statement: Makes the SELECT, of owner and item, of its condition.
    func grouped<Owner: SQLCodable & Hashable, Item: SQLCodable>(
        _ owners: [Owner], by column: String, _ statement: (_ condition: String) -> String
    ) throws -> [Owner: [Item]] {
        let rows = try inPieces(owners) { piece in
            let condition = SQLCondition.in(column, Array(piece))
            return try query(statement(condition.sql), condition.arguments) { row in
                (try Owner.read(row, 0), try Item.read(row, 1))
            }
        }
        return Dictionary(grouping: rows) { $0.0 }.mapValues { $0.map(\.1) }
    }
}
