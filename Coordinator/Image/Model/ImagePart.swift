import ProtocolModel

/// Data that belongs to an image and is not its content yet: one file of the blob store, known to the database before
/// it is made, so that every file is somebody's.
struct ImagePart: Sendable, Hashable {
    enum Kind: String, Sendable, Hashable {
        /// What came in for `PUT .../file`.
        case upload
        /// What came in for `PUT .../stage`, or was downloaded for an import.
        case stage
        /// What a conversion makes of the latter.
        case converted
    }

    var image: ImageID
    var kind: Kind
    /// The file's name in the blob store.
    var file: String
    /// How much of it is known to survive a crash; a client goes on from here.
    var sizeBytes: Int64
    /// Whether all of it is there.
    var isComplete: Bool
    /// Microseconds since 1970-01-01T00:00:00Z.
    var updatedAt: Int64
    /// Its hashes, once it is complete.
    var content: BlobWriter.Result?

    /// Every part's file has a name of its own, so that two writers never meet in one.
    static func newFile(_ name: ImageID) -> String { BlobStore.partPrefix + name.compact }
}
