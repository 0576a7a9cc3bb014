import CoordinatorFleet
import ProtocolModel

/// A row of `blockstorage_snapshots`.
public struct SnapshotRecord: HostedRecord, Hashable {
    public var number: Int64 = 0
    public var id: VolumeSnapshotID
    public var generation: Int64 = 1
    public var volume: VolumeID
    public var project: ProjectID
    public var user: UserID
    public var name: String?
    public var description: String?
    /// What its volume had at that moment.
    public var sizeGiB: Int
    /// Its volume's at that moment.
    public var type: VolumeTypeID
    public var pool: String
    public var state = SnapshotState()
    public var metadata: [String: String] = [:]
    public var group: AnyID?
    /// As somebody declared it: `73%`; `nil`: as its state says.
    public var progress: String?
    public var createdAt: Int64
    public var updatedAt: Int64

    public var taskDeadline: Int64?
    public var host: HostPlace?
    public var planGeneration: Int64 = 0
    public var fault: HostedFault?
    public var actionID: Int64?
    public var operation: OperationID?
    public var attempts = 0
    public var excluded: [NodeID: String] = [:]
    public var deletedAt: Int64?

    public init(id: VolumeSnapshotID, of volume: VolumeRecord, project: ProjectID, user: UserID, createdAt: Int64) {
        self.id = id
        self.volume = volume.id
        self.project = project
        self.user = user
        sizeGiB = volume.sizeGiB
        type = volume.type
        pool = volume.pool
        host = volume.host
        self.createdAt = createdAt
        updatedAt = createdAt
    }

    public var key: ResourceKey { .volumeSnapshot(id) }
    public var status: SnapshotStatus { state.shown }
}
