import ProtocolModel

public enum VolumeTransferTag {}
public typealias VolumeTransferID = Identifier<VolumeTransferTag>

/// An offer of a volume to whoever knows its key.
public struct VolumeTransfer: Sendable, Hashable {
    public var number: Int64 = 0
    public var id: VolumeTransferID
    public var volume: VolumeID
    /// Who offers it.
    public var project: ProjectID
    public var name: String?
    /// SHA-256 of salt and key, hexadecimal: the key itself is told once.
    public var keyHash: String
    public var salt: String
    /// Snapshots stay with who offers.
    public var leavesSnapshots: Bool
    public var createdAt: Int64

    public init(
        id: VolumeTransferID, volume: VolumeID, project: ProjectID, name: String?, keyHash: String, salt: String,
        leavesSnapshots: Bool, createdAt: Int64
    ) {
        self.id = id
        self.volume = volume
        self.project = project
        self.name = name
        self.keyHash = keyHash
        self.salt = salt
        self.leavesSnapshots = leavesSnapshots
        self.createdAt = createdAt
    }
}
