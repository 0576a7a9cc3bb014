import ProtocolModel

/// What lies on the host for one server.
public struct ServerFiles: Hashable, Sendable {
    /// An ephemeral or a swap disk.
    public struct Extra: Hashable, Sendable {
        /// Of the root disk that it was made with.
        public var version: Int
        /// As the guest sees it.
        public var bytes: Int64

        public init(version: Int, bytes: Int64) {
            self.version = version
            self.bytes = bytes
        }
    }

    /// The version of the root disk, `nil` while there is none (or only a half-made one).
    public var rootDiskVersion: Int?
    /// The size of the root disk as the guest sees it, `nil` where it is not known.
    public var rootBytes: Int64?
    public var ephemeral: Extra?
    public var swap: Extra?
    /// ``ServerSpec/Rescue/version`` of the rescue disk, `nil` while there is none.
    public var rescueVersion: Int?
    /// ``ConfigDriveContent/digest`` of the content the config drive was made from, `nil` without one.
    public var configDriveDigest: String?

    public init(
        rootDiskVersion: Int?, rootBytes: Int64? = nil, ephemeral: Extra? = nil, swap: Extra? = nil,
        rescueVersion: Int? = nil, configDriveDigest: String?
    ) {
        self.rootDiskVersion = rootDiskVersion
        self.rootBytes = rootBytes
        self.ephemeral = ephemeral
        self.swap = swap
        self.rescueVersion = rescueVersion
        self.configDriveDigest = configDriveDigest
    }
}

/// Where servers' disks live. Every call is idempotent and leaves nothing half-made under its final name.
public protocol ServerStorage: ImageStore {
    /// All servers that have a folder here, also half-made ones.
    func observe() async throws(StatusError) -> [ServerID: ServerFiles]
    /// Whether the image is in the cache, whole and verified.
    func hasImage(_ image: ImageSpec) async -> Bool
    /// Brings the image into the cache from `source`, resuming what is there, and verifies length and SHA-512.
    func fetchImage(_ image: ImageSpec, from source: any ImageSource) async throws(StatusError)
    /// A clone of the cached image (qcow2 overlay, or reflink), grown to `rootGiB` where that is larger; ephemeral and
    /// swap disks with it. What is there and too small grows, and disks of earlier versions go once all is there; one of
    /// a later version never does. The guest must not be running.
    func makeDisks(_ spec: ServerSpec) async throws(StatusError)
    /// A clone of the rescue's image; others go.
    func makeRescueDisk(_ spec: ServerSpec) async throws(StatusError)
    func removeRescueDisk(_ server: ServerID) async throws(StatusError)
    func makeConfigDrive(_ spec: ServerSpec, content: ConfigDriveContent) async throws(StatusError)
    /// The disks as the domain's definition names them.
    func disks(of spec: ServerSpec) -> [DomainDisk]
    func consoleLogPath(of server: ServerID) -> String
    /// The last `maximumBytes` of the console log, rotated parts included.
    func consoleLog(of server: ServerID, maximumBytes: Int) async throws(StatusError) -> [UInt8]
    /// An empty file for the hypervisor to put the root disk of a running guest into.
    /// - Returns: Its path.
    /// - Throws: `noSpace` unless what it may take, twice over, is free.
    func makeSnapshotTarget(of spec: ServerSpec, for operation: OperationID) async throws(StatusError) -> String
    /// The root disk, flat and compressed: out of what the hypervisor put into the target where there is one, else out of
    /// the disk itself, whose guest must not run.
    func makeSnapshot(
        of spec: ServerSpec, for operation: OperationID, within limit: Duration
    ) async throws(StatusError) -> any SnapshotFile
    /// Removes what is left of an operation's snapshot.
    func removeSnapshot(for operation: OperationID) async
    /// Removes everything of the server.
    func remove(_ server: ServerID) async throws(StatusError)
    /// Removes cached images that no server here uses and that have not been used for a while, down to the size limit.
    func sweepImages(keeping: Set<String>) async
    /// Size and free space of the file system that disks live on, in GiB.
    func capacity() async throws(StatusError) -> (totalGiB: Int, freeGiB: Int)
}

/// A snapshot that waits to be sent.
public protocol SnapshotFile: Sendable {
    var sizeBytes: Int64 { get }
    /// At most `count` bytes; fewer only at the end.
    func read(at offset: Int64, count: Int) async throws(StatusError) -> [UInt8]
}

/// Where images come from: the coordinator's link, or another agent.
public protocol ImageSource: Sendable {
    /// The image's bytes from `offset` to its end, in chunks of at most 1 MiB, as fast as the reader takes them.
    func read(_ image: ImageSpec, from offset: Int64) async throws -> AsyncThrowingStream<[UInt8], any Error>
}

/// The files of a config drive, by path below its root (`openstack/latest/meta_data.json`), sorted by path.
public struct ConfigDriveContent: Hashable, Sendable {
    public var files: [File]

    public struct File: Hashable, Sendable {
        public var path: String
        public var bytes: [UInt8]

        public init(path: String, bytes: [UInt8]) {
            self.path = path
            self.bytes = bytes
        }
    }

    public init(files: [File]) { self.files = files }
}
