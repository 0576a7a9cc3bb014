import ProtocolModel

/// One image as the store keeps it.
public struct Image: Sendable, Hashable {
    public enum Status: String, Sendable, Hashable {
        /// Known, without data.
        case queued
        /// An upload is under way; its way out is ``ImageService/recover(at:)`` and the upload's own end.
        case saving
        /// Staged, or being staged. The way out is an import, or the end of the time that staged data is kept.
        case uploading
        /// An import is under way: a durable job with a deadline, which ends in active or queued.
        case importing
        case active
        case deactivated
        /// The data that the coordinator keeps is not what was stored; uploading the same content again heals it.
        case killed
    }

    public enum Visibility: String, Sendable, Hashable {
        case `public`, community, shared, `private`
    }

    public var id: ImageID
    public var name: String?
    public var status = Status.queued
    public var visibility = Visibility.shared
    public var isProtected = false
    public var isHidden = false
    public var owner: ProjectID?
    public var diskFormat: String?
    public var containerFormat: String?
    public var minDiskGiB = 0
    public var minMemoryMiB = 0
    public var sizeBytes: Int64?
    public var virtualSizeBytes: Int64?
    /// MD5 of the data, 32 hexadecimal digits.
    public var checksum: String?
    /// SHA-512 of the data, 128 hexadecimal digits; also the blob's name.
    public var sha512: String?
    /// Microseconds since 1970-01-01T00:00:00Z.
    public var createdAt: Int64
    public var updatedAt: Int64
    public var generation: Int64 = 1
    public var tags: [String] = []
    public var properties: [String: String] = [:]

    public init(id: ImageID, owner: ProjectID?, at now: Int64) {
        self.id = id
        self.owner = owner
        createdAt = now
        updatedAt = now
    }
}
