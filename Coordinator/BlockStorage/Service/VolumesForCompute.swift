import CoordinatorPlatform
import ProtocolModel

/// What the compute slice asks of this one, in its own transactions. Refusals are `Refusal`s of the kinds `volume`,
/// `snapshot` and `volume_type`, with Cinder's sentences, or ``APIError``s 403 and 413 of policies and quotas.
///
/// An attachment is *reserved* (nobody else gets the volume), then *attaching* (it is in a server's plan and the volume is
/// reachable from that server's host), then *attached* (the guest has it), then *detaching*, and then gone.
public protocol VolumesForCompute: Sendable {
    /// Who hears when a volume that a server waits for is there, or never will be.
    var listeners: VolumeListeners { get }

    /// Where a volume is and what it can be used for.
    /// - Parameter id: As the user wrote it. What the caller may not see is not found.
    func volume(_ id: String, origin: VolumeOrigin, in reader: any SQLReader) throws -> VolumeInfo
    /// Those that there are, without asking who may see them.
    func volumes(_ ids: [VolumeID], in reader: any SQLReader) throws -> [VolumeID: VolumeInfo]
    func snapshot(_ id: String, origin: VolumeOrigin, in reader: any SQLReader) throws -> VolumeSnapshotInfo
    /// Whether there is a volume type of this name or id that the caller may use.
    func hasType(_ type: String, origin: VolumeOrigin, in reader: any SQLReader) throws -> Bool

    /// Reserves a volume for a server.
    func reserve(
        _ volume: String, for server: ServerID, _ wish: AttachmentWish, origin: VolumeOrigin,
        in transaction: any SQLTransaction
    ) throws -> VolumeAttachment
    /// Makes a volume that a new server holds from the beginning. It is `creating` then: its host makes it while the
    /// server waits, and ``VolumeListener`` hears how that went.
    func create(
        _ volume: ServerVolume, for server: ServerID, _ wish: AttachmentWish, origin: VolumeOrigin,
        in transaction: any SQLTransaction
    ) throws -> VolumeAttachment
    /// The server is, or is to be, on this host: the volume is made reachable from there. To be called again when the
    /// server moves.
    /// - Throws: `Refusal` (`conflict`) where that host cannot reach it.
    func attach(
        _ attachment: VolumeAttachmentID, on node: NodeID, hostname: String, at now: Int64,
        in transaction: any SQLTransaction
    ) throws -> VolumeAttachment
    /// The guest has it. Nothing happens when that was known.
    func confirm(
        _ attachment: VolumeAttachmentID, at now: Int64, in transaction: any SQLTransaction) throws
    /// - Throws: `Refusal` (`conflict`) unless it is attached.
    func beginDetaching(
        _ attachment: VolumeAttachmentID, at now: Int64, in transaction: any SQLTransaction
    ) throws -> VolumeAttachment
    /// The guest kept it.
    func rollDetaching(_ attachment: VolumeAttachmentID, at now: Int64, in transaction: any SQLTransaction) throws
    /// The guest has it no more, or never got it. The volume is kept. Nothing happens when it is gone already.
    func detach(_ attachment: VolumeAttachmentID, at now: Int64, in transaction: any SQLTransaction) throws
    /// The server is gone: its attachments end, and volumes that go with it are deleted, unless others hold them.
    /// - Parameter deleting: Whether its owner asked for that; a server that lost its host keeps its volumes.
    func release(
        _ server: ServerID, deleting: Bool, origin: VolumeOrigin, in transaction: any SQLTransaction
    ) throws
    func setDeletesVolume(
        _ attachment: VolumeAttachmentID, _ deletes: Bool, in transaction: any SQLTransaction
    ) throws -> VolumeAttachment

    /// In the order in which they were made; servers without any are left out.
    func attachments(
        of servers: [ServerID], in reader: any SQLReader
    ) throws -> [ServerID: [VolumeAttachment]]
    /// What the plan of a server on this host says of its attachments, by device. Those that are only reserved are left
    /// out.
    func specs(
        of attachments: [VolumeAttachment], on node: NodeID, in reader: any SQLReader
    ) throws -> [ServerSpec.Volume]
}

/// How a server wants a volume.
public struct AttachmentWish: Sendable, Hashable {
    /// `vdb`
    public var device: String?
    public var bus = "virtio"
    public var bootIndex: Int?
    public var deletesVolume = false
    public var tag: String?
    public var mode = AttachmentMode.readWrite

    public init() {}
}

/// A volume that is made with its server.
public struct ServerVolume: Sendable, Hashable {
    public enum Source: Sendable, Hashable {
        case blank
        case image(String)
        case snapshot(String)
        case volume(String)
    }

    public var source: Source
    /// `nil`: as large as its source.
    public var sizeGiB: Int?
    /// A name or an id.
    public var type: String?
    public var name: String?
    public var zone: String?
    /// Only a pool of this host will do.
    public var hostname: String?

    public init(source: Source, sizeGiB: Int?) {
        self.source = source
        self.sizeGiB = sizeGiB
    }
}

/// A volume, as other slices see it.
public struct VolumeInfo: Sendable, Hashable {
    public var id: VolumeID
    public var project: ProjectID
    public var name: String?
    public var sizeGiB: Int
    public var status: VolumeStatus
    /// The host with its pool; `nil` while it is nowhere.
    public var node: NodeID?
    public var hostname: String?
    public var zone: String?
    public var pool: String
    public var isBootable: Bool
    public var isMultiattach: Bool
    public var isReadOnly: Bool
    /// Properties of the image that it was made from (`hw_disk_bus`, ...), with `min_ram` and `min_disk`.
    public var imageMetadata: [String: String]
    /// Other hosts can reach it.
    public var isExportable: Bool
}

/// A snapshot, as other slices see it.
public struct VolumeSnapshotInfo: Sendable, Hashable {
    public var id: VolumeSnapshotID
    public var volume: VolumeID
    public var sizeGiB: Int
    public var status: SnapshotStatus
    public var node: NodeID?
    public var hostname: String?
}
