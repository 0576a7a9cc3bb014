import ProtocolModel

/// A volume as a pool has it.
public struct StoredVolume: Hashable, Sendable {
    /// As guests see it.
    public var sizeBytes: Int64
    /// What it takes of the pool, roughly: a guest that writes is not news each time.
    public var allocatedBytes: Int64
    /// ``VolumeSpec/Reversion/version`` of the revert that was carried out last.
    public var reversion: Int
    /// Something that was begun while a guest had it is to be brought to its end first.
    public var isUnfinished: Bool

    public init(sizeBytes: Int64, allocatedBytes: Int64 = 0, reversion: Int = 0, isUnfinished: Bool = false) {
        self.sizeBytes = sizeBytes
        self.allocatedBytes = allocatedBytes
        self.reversion = reversion
        self.isUnfinished = isUnfinished
    }
}

/// A snapshot as a pool has it.
public struct StoredSnapshot: Hashable, Sendable {
    public var sizeBytes: Int64

    public init(sizeBytes: Int64) { self.sizeBytes = sizeBytes }
}

public struct PoolContents: Hashable, Sendable {
    public var volumes: [VolumeID: StoredVolume]
    public var snapshots: [VolumeSnapshotID: StoredSnapshot]

    public init(volumes: [VolumeID: StoredVolume] = [:], snapshots: [VolumeSnapshotID: StoredSnapshot] = [:]) {
        self.volumes = volumes
        self.snapshots = snapshots
    }
}

public struct PoolCapacity: Hashable, Sendable {
    public var totalGiB: Int
    public var freeGiB: Int
    /// Why nothing new may be put into it; empty while all is well.
    public var problem: String

    public init(totalGiB: Int, freeGiB: Int, problem: String = "") {
        self.totalGiB = totalGiB
        self.freeGiB = freeGiB
        self.problem = problem
    }
}

/// A pool of volumes. Every call is idempotent: cut off anywhere and repeated, it leads to the same end, and nothing
/// half-made is ever found under a volume's or a snapshot's name. Calls that change a volume come one at a time for each
/// (``VolumeTurns``), and no guest is given the volume meanwhile.
public protocol VolumeBackend: Sendable {
    /// ``StoragePool/backend``.
    var backendName: String { get }
    /// Where guests find the volume, for as long as it exists.
    func location(of volume: VolumeID) -> VolumeLocation
    func observe() async throws(StatusError) -> PoolContents
    func capacity() async throws(StatusError) -> PoolCapacity
    /// Makes the volume with what its source holds: an image that is in the cache, or something of the same pool.
    func create(_ spec: VolumeSpec) async throws(StatusError)
    /// Makes the volume larger, also for a guest that has it.
    func extend(_ volume: VolumeID, toBytes: Int64) async throws(StatusError)
    /// The volume holds what the snapshot does, and is as large as it was, or as the snapshot is where that is larger.
    func revert(_ volume: VolumeID, to reversion: VolumeSpec.Reversion) async throws(StatusError)
    /// Keeps what the volume holds at this moment, also while a guest writes to it.
    func snapshot(_ volume: VolumeID, as snapshot: VolumeSnapshotID) async throws(StatusError)
    /// Brings to its end what ``StoredVolume/isUnfinished`` says was begun.
    func finish(_ volume: VolumeID) async throws(StatusError)
    /// Keeps what the volume holds at this moment for a copy, also while a guest writes to it.
    func beginCopy(of volume: VolumeID, for operation: OperationID) async throws(StatusError)
    /// What was kept, flat, in a file of its own. Nothing that is done to the volume meanwhile gets into it, or waits.
    func copy(
        for operation: OperationID, as format: ImageSpec.DiskFormat, within limit: Duration
    ) async throws(StatusError) -> any SnapshotFile
    /// Drops what is left of an operation's copy.
    func endCopy(for operation: OperationID) async
    func remove(_ volume: VolumeID) async throws(StatusError)
    func remove(_ snapshot: VolumeSnapshotID) async throws(StatusError)
    /// Regularly, for housekeeping.
    func tick() async
}
