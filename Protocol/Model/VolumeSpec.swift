/// A volume on the node whose pool it lies in.
public struct VolumeSpec: Hashable, Sendable {
    /// What a new volume holds. Once the volume is there, nothing looks at it any more.
    public enum Source: Hashable, Sendable {
        case empty
        case image(ImageSpec)
        /// A snapshot in the same pool.
        case snapshot(VolumeSnapshotID, of: VolumeID)
        /// Another volume of the same pool, as it is at that moment.
        case volume(VolumeID)
    }

    /// The volume goes back to what a snapshot of it holds.
    public struct Reversion: Hashable, Sendable {
        /// Rises with each revert; the host remembers which one it carried out last.
        public var version: Int
        public var snapshot: VolumeSnapshotID

        public init(version: Int, snapshot: VolumeSnapshotID) {
            self.version = version
            self.snapshot = snapshot
        }
    }

    public var id: VolumeID
    public var project: ProjectID
    /// One of the node's pools (``StoragePool/name``).
    public var pool: String
    /// It never becomes smaller.
    public var sizeGiB: Int
    public var source: Source
    public var reversion: Reversion?
    /// Nodes whose guests reach the volume over the network (NBD with mutual TLS), sorted; each by its own certificate.
    public var exportedTo: [NodeID]

    public init(
        id: VolumeID, project: ProjectID, pool: String, sizeGiB: Int, source: Source = .empty,
        reversion: Reversion? = nil, exportedTo: [NodeID] = []
    ) {
        self.id = id
        self.project = project
        self.pool = pool
        self.sizeGiB = sizeGiB
        self.source = source
        self.reversion = reversion
        self.exportedTo = exportedTo
    }
}

/// A volume as it was at one moment, in the pool of its volume.
public struct VolumeSnapshotSpec: Hashable, Sendable {
    public var id: VolumeSnapshotID
    public var volume: VolumeID
    public var project: ProjectID
    public var pool: String

    public init(id: VolumeSnapshotID, volume: VolumeID, project: ProjectID, pool: String) {
        self.id = id
        self.volume = volume
        self.project = project
        self.pool = pool
    }
}

/// Where a node keeps volumes.
public struct StoragePool: Hashable, Sendable {
    /// The key of `storage.pools` in the agent's configuration.
    public var name: String
    /// `file`, `lvm-thin` or `rbd`.
    public var backend: String
    public var totalGiB: Int
    public var freeGiB: Int
    /// The sum of the sizes of all volumes in it, which may be more than it has: space is taken as it is written.
    public var provisionedGiB: Int
    /// Why nothing new may be put into it; empty while all is well.
    public var problem: String

    public init(
        name: String, backend: String, totalGiB: Int, freeGiB: Int, provisionedGiB: Int, problem: String = ""
    ) {
        self.name = name
        self.backend = backend
        self.totalGiB = totalGiB
        self.freeGiB = freeGiB
        self.provisionedGiB = provisionedGiB
        self.problem = problem
    }
}
