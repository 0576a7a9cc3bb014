import ProtocolModel

/// A project that an image is shared with.
package struct ImageMember: Sendable, Hashable {
    package enum Status: String, Sendable, Hashable, CaseIterable {
        case pending, accepted, rejected
    }

    /// Given by the store.
    package var row: Int64 = 0
    package var image: ImageID
    /// A project's id in its compact form, or whatever else the owner wrote: nobody checks that it exists.
    package var member: String
    package var status: Status
    /// Microseconds since 1970-01-01T00:00:00Z.
    package var createdAt: Int64
    package var updatedAt: Int64
    /// The image's own, which lists of what is shared are ordered by; the store fills it in.
    package var imageCreatedAt: Int64 = 0

    package init(image: ImageID, member: String, status: Status, createdAt: Int64, updatedAt: Int64) {
        self.image = image
        self.member = member
        self.status = status
        self.createdAt = createdAt
        self.updatedAt = updatedAt
    }
}
