import ProtocolModel

/// How far an attachment is, in the volume API's words.
public enum AttachmentStatus: String, Sendable, Hashable, CaseIterable {
    case reserved, attaching, attached, detaching
}

/// Who may do what through an attachment.
public enum AttachmentMode: String, Sendable, Hashable, CaseIterable {
    case readWrite = "rw"
    case readOnly = "ro"
}

/// One server's hold on one volume.
public struct VolumeAttachment: Sendable, Hashable {
    public var number: Int64 = 0
    public var id: VolumeAttachmentID
    public var generation: Int64 = 1
    public var volume: VolumeID
    /// The volume's.
    public var project: ProjectID
    /// `nil` where something else than a server has it.
    public var server: ServerID?
    public var status: AttachmentStatus
    public var mode: AttachmentMode
    /// The compute service made it: a server's plan follows it, and only that service ends it.
    public var isManaged: Bool
    /// `vdb` for a managed one, else as it was named: `/dev/vdb`.
    public var device: String?
    public var bus = "virtio"
    /// The guest starts from it, in the order of these; `nil`: never.
    public var bootIndex: Int?
    /// The volume goes with its server.
    public var deletesVolume = false
    public var tag: String?
    /// The server's host.
    public var node: NodeID?
    public var hostname: String?
    /// What who attaches said of itself: a JSON object.
    public var connector = "{}"
    public var createdAt: Int64
    public var attachedAt: Int64?

    public init(
        id: VolumeAttachmentID, volume: VolumeID, project: ProjectID, server: ServerID?,
        status: AttachmentStatus = .reserved, mode: AttachmentMode = .readWrite, isManaged: Bool, createdAt: Int64
    ) {
        self.id = id
        self.volume = volume
        self.project = project
        self.server = server
        self.status = status
        self.mode = mode
        self.isManaged = isManaged
        self.createdAt = createdAt
    }
}
