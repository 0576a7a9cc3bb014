import CoordinatorPlatform
import ProtocolModel

/// What the compute and the block storage slice ask of the image slice.
public protocol ImageForCompute: Sendable {
    /// An active image that the caller may boot from.
    /// - Throws: `Refusal`: not found, or not in a state to boot from.
    func bootable(_ id: String, caller: Caller, in reader: any SQLReader) throws -> BootImage
    /// Also for deleted or hidden images, for showing servers: `nil` when nothing is known of it.
    func describe(_ id: ImageID, in reader: any SQLReader) throws -> BootImage?
    /// Makes an image that a server's host is to send the data of; the caller must be allowed to make one.
    /// - Throws: `APIError` 403.
    func reserve(
        _ draft: ServerImage, permissions: Permissions, at now: Int64, in transaction: any SQLTransaction
    ) throws -> ImageID
    /// The same for an image of a volume.
    func reserve(
        _ draft: VolumeImage, permissions: Permissions, at now: Int64, in transaction: any SQLTransaction
    ) throws -> ImageID
    /// Removes an image that still waits for its data, protected or not; nothing happens to one that has them.
    func abandon(_ id: ImageID, in transaction: any SQLTransaction) throws
    /// Removes an image that was made of a server, whatever it has; nothing happens without one.
    func discard(_ id: ImageID, in transaction: any SQLTransaction) throws
    /// A project's backups of a server, the newest first.
    func backups(
        of server: ServerID, type: String, owner: ProjectID, in reader: any SQLReader
    ) throws -> [ImageID]
}

public struct BootImage: Sendable, Hashable {
    public var spec: ImageSpec
    public var name: String
    public var minDiskGiB: Int
    public var minMemoryMiB: Int
    /// The size a guest sees, bytes.
    public var virtualSizeBytes: Int64
    /// `hw_firmware_type`, `hw_machine_type`, `hw_disk_bus`, `hw_vif_model`, `os_type`, ...
    public var properties: [String: String]

    public init(
        spec: ImageSpec, name: String, minDiskGiB: Int, minMemoryMiB: Int, virtualSizeBytes: Int64,
        properties: [String: String]
    ) {
        self.spec = spec
        self.name = name
        self.minDiskGiB = minDiskGiB
        self.minMemoryMiB = minMemoryMiB
        self.virtualSizeBytes = virtualSizeBytes
        self.properties = properties
    }
}
