import ProtocolModel

/// Where a volume of this host's own is.
public struct VolumeLocation: Hashable, Sendable {
    /// A file, or a block device.
    public var path: String
    public var format: DomainDisk.Format
    public var isBlockDevice: Bool

    public init(path: String, format: DomainDisk.Format, isBlockDevice: Bool = false) {
        self.path = path
        self.format = format
        self.isBlockDevice = isBlockDevice
    }
}

/// Says where the volumes of this host's pools are, for the guests that have them. Pure: it follows from the
/// configuration, whether or not the volume is there.
public protocol VolumePaths: Sendable {
    /// - Returns: `nil` when the host has no such pool.
    func location(of volume: VolumeID, pool: String) -> VolumeLocation?
    /// Brings a change of the volume to its end that was broken off: before that, its location may lead to what a guest
    /// wrote last but one.
    func settle(_ volume: VolumeID, pool: String) async throws(StatusError)
}

extension VolumePaths {
    public func settle(_ volume: VolumeID, pool: String) async throws(StatusError) {}
}
