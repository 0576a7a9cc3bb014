import CoordinatorFleet
import ProtocolModel

/// A row of `blockstorage_volumes`.
public struct VolumeRecord: HostedRecord, Hashable {
    /// What the volume was made from, as far as its host has to know it to make it.
    public enum Source: Sendable, Hashable {
        case empty
        case image(ImageSpec)
        case snapshot(VolumeSnapshotID, of: VolumeID)
        case volume(VolumeID)
    }

    /// In order of insertion. 0 before it is inserted.
    public var number: Int64 = 0
    public var id: VolumeID
    /// Rises with each change of the row.
    public var generation: Int64 = 1
    public var project: ProjectID
    public var user: UserID
    public var name: String?
    public var description: String?
    /// What the volume has; while it is extended, still the old size.
    public var sizeGiB: Int
    /// What its host is asked for.
    public var wantedGiB: Int
    /// What is claimed of its pool.
    public var claimedGiB = 0
    public var type: VolumeTypeID
    /// A name of ``ProtocolModel/NodeReport/pools``; empty while it is nowhere.
    public var pool = ""
    public var source: Source
    public var state = VolumeState()
    public var isBootable = false
    /// Only to be read by servers; `nil` until somebody said so.
    public var isReadOnly: Bool?
    public var isMultiattach = false
    public var metadata: [String: String] = [:]
    /// What was known of the image that it was made from; `nil` for none.
    public var imageMetadata: [String: String]?
    /// The zone that was asked for.
    public var pinnedZone: String?
    /// The only host that it may be on: its server's, or that of what it is made from.
    public var pinnedHost: String?
    /// Rises with each revert.
    public var reversionVersion = 0
    /// What it is being reverted to.
    public var reversionSnapshot: VolumeSnapshotID?
    /// The image that its host sends the data of.
    public var uploadImage: ImageID?
    public var group: AnyID?
    public var createdAt: Int64
    public var updatedAt: Int64
    /// When it was first there.
    public var launchedAt: Int64?

    public var taskDeadline: Int64?
    public var host: HostPlace?
    public var planGeneration: Int64 = 0
    public var fault: HostedFault?
    public var actionID: Int64?
    public var operation: OperationID?
    public var attempts = 0
    public var excluded: [NodeID: String] = [:]
    public var deletedAt: Int64?

    public init(
        id: VolumeID, project: ProjectID, user: UserID, sizeGiB: Int, type: VolumeTypeID, source: Source,
        createdAt: Int64
    ) {
        self.id = id
        self.project = project
        self.user = user
        self.sizeGiB = sizeGiB
        wantedGiB = sizeGiB
        self.type = type
        self.source = source
        self.createdAt = createdAt
        updatedAt = createdAt
    }

    public var key: ResourceKey { .volume(id) }
    public var status: VolumeStatus { state.shown }

    public mutating func completed(at now: Int64) {
        sizeGiB = wantedGiB
        reversionSnapshot = nil
        if launchedAt == nil { launchedAt = now }
    }

    /// `host@pool#pool`, as the volume API names where volumes are.
    public var hostAttribute: String? { host.map { "\($0.hostname)@\(pool)#\(pool)" } }
}

public enum VolumeTypeTag {}
public typealias VolumeTypeID = Identifier<VolumeTypeTag>
