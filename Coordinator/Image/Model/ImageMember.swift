import ProtocolModel

/// A project that an image is shared with.
struct ImageMember: Sendable, Hashable {
    enum Status: String, Sendable, Hashable, CaseIterable {
        case pending, accepted, rejected
    }

    var image: ImageID
    /// A project's id in its compact form, or whatever else the owner wrote: nobody checks that it exists.
    var member: String
    var status: Status
    /// Microseconds since 1970-01-01T00:00:00Z.
    var createdAt: Int64
    var updatedAt: Int64
}
