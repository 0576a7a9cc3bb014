import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// Snapshots, as the fleet's workflow of hosted resources sees them. They are where their volume is, and claim nothing.
struct SnapshotHosting: HostedKind {
    let parts: BlockStorageParts

    let kind = ResourceKind.volumeSnapshot
    let words = HostedWords(
        noun: "snapshot", hostRemoved: "The snapshot's host was removed from the cloud. Delete the snapshot.")
    let buildAttempts = 1

    init(parts: BlockStorageParts) { self.parts = parts }

    func find(_ id: AnyID, in reader: any SQLReader) throws -> SnapshotRecord? {
        try parts.snapshots.find(id.cast(), in: reader)
    }

    func save(_ snapshot: inout SnapshotRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        try parts.snapshots.save(&snapshot, at: now, in: transaction)
        try MessageBook(parts: parts).note(snapshot, at: now, in: transaction)
    }

    func overdue(
        at now: Int64, skipping skipped: Int, in reader: any SQLReader
    ) throws -> ReadableRows<SnapshotRecord> {
        var page = try parts.snapshots.overdue(at: now, skipping: skipped, in: reader)
        page.records = try page.records.filter { snapshot in
            guard snapshot.state.task == .deleting, let node = snapshot.host?.node else { return true }
            return try parts.directory.node(node, in: reader)?.health != .down
        }
        return page
    }

    func overdue(at now: Int64, in reader: any SQLReader) throws -> [SnapshotRecord] {
        try overdue(at: now, skipping: 0, in: reader).records
    }

    func on(_ node: NodeID, in reader: any SQLReader) throws -> [SnapshotRecord] {
        try parts.snapshots.on(node, in: reader)
    }

    func removeRows(deletedBefore time: Int64, in transaction: any SQLTransaction) throws -> [AnyID] {
        try parts.snapshots.removeRows(deletedBefore: time, in: transaction).map { $0.cast() }
    }

    func sight(_ details: ResourceStatus.Details) -> VolumeDetails? { nil }

    func release(_ snapshot: SnapshotRecord, at now: Int64, in transaction: any SQLTransaction) throws {}

    func mayMove(_ snapshot: SnapshotRecord) -> Bool { false }

    func rehost(
        _ snapshot: inout SnapshotRecord, at now: Int64, in transaction: any SQLTransaction
    ) throws -> String? { "a snapshot is where its volume is" }
}
