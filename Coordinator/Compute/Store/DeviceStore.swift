import CoordinatorPlatform
import ProtocolModel

extension ServerDevice.Kind: SQLWord {}
extension ServerDevice.Change: SQLWord {}

extension ServerDevice: TableRecord {
    package static let table = RecordTable<Self>("server_devices")
    package static let blank = Self(
        server: .init(high: 0, low: 0), kind: .port, device: AnyID(high: 0, low: 0))

    package mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try column("server_uuid", &server, .fixed)
        try column("kind", &kind, .fixed)
        try column("device_uuid", &device, .fixed)
        try column("tag", &tag, .fixed)
        try column("change", &change)
        try column("generation", &generation)
        try column("deadline", &deadline)
        try column("action_id", &action)
    }
}

/// Servers' devices, of which there is something to say.
struct DeviceStore: Sendable {
    private let table = ServerDevice.table

    func insert(_ device: ServerDevice, in transaction: any SQLTransaction) throws {
        try table.insert(device, in: transaction)
    }

    func update(_ device: ServerDevice, in transaction: any SQLTransaction) throws {
        try table.update(device, in: transaction)
    }

    func find(
        _ device: AnyID, _ kind: ServerDevice.Kind, of server: ServerID, in reader: any SQLReader
    ) throws -> ServerDevice? {
        try table.first(
            where: .all([.equal("server_uuid", server), .equal("kind", kind), .equal("device_uuid", device)]),
            in: reader)
    }

    func all(of servers: [ServerID], in reader: any SQLReader) throws -> [ServerDevice] {
        try reader.inPieces(servers) { try table.all(where: .in("server_uuid", Array($0)), in: reader) }
    }

    /// Of which a change is under way.
    func pending(of server: ServerID, in reader: any SQLReader) throws -> [ServerDevice] {
        try table.all(
            where: .all([.equal("server_uuid", server), SQLCondition("change IS NOT NULL")]), in: reader)
    }

    /// Those whose change is overdue, the longest overdue first, at most 100.
    func overdue(at now: Int64, in reader: any SQLReader) throws -> [ServerDevice] {
        try table.all(where: SQLCondition("deadline <= ?", [now]), order: "deadline", limit: 100, in: reader)
    }

    func remove(_ device: ServerDevice, in transaction: any SQLTransaction) throws {
        try table.delete(device.number, in: transaction)
    }

    func removeAll(of server: ServerID, in transaction: any SQLTransaction) throws {
        try table.delete(where: .equal("server_uuid", server), in: transaction)
    }
}
