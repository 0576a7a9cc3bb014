import ProtocolModel

/// A volume that a guest of this host has.
public struct VolumeAttachment: Hashable, Sendable {
    public var server: ServerID
    /// Where the guest's writes go: the location it was given, or what ``AttachedVolumes/snapshot(_:of:to:)`` put in its
    /// place.
    public var path: String
    /// `false` for a guest whose memory waits on disk: its disks must be as they were when it goes on.
    public var isRunning: Bool
    /// Files that the guest has open for it.
    public var layers: Int

    public init(server: ServerID, path: String, isRunning: Bool = true, layers: Int = 1) {
        self.server = server
        self.path = path
        self.isRunning = isRunning
        self.layers = layers
    }
}

/// Changes volumes under the guests that have them. A guest has a volume when it has a disk whose serial number is the
/// volume's id.
public protocol AttachedVolumes: Sendable {
    /// The volumes of all guests that run, are paused, or have their memory on disk.
    func attachments() async throws(StatusError) -> [VolumeID: [VolumeAttachment]]
    /// From one write to the next, everything goes to `overlay`, which is an empty qcow2 file above what the guest has
    /// open; that is only read from then on. The definition from which the guest is started next still names the volume's
    /// own location. Nothing is done twice.
    func snapshot(_ volume: VolumeID, of server: ServerID, to overlay: String, location: String)
        async throws(StatusError)
    /// Whatever guests that have the volume are started from next names the volume's own location.
    func restore(_ volume: VolumeID, to location: String) async throws(StatusError)
    /// The guest sees the volume with this size.
    func resize(_ volume: VolumeID, of server: ServerID, toBytes: Int64) async throws(StatusError)
}
