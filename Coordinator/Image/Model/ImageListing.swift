import ProtocolModel

/// One page of the image list, as it was asked for. The store turns it into SQL.
package struct ImageListing: Sendable {
    package enum TextField: String, Sendable, CaseIterable {
        case id, name, status, visibility, owner, checksum
        case diskFormat = "disk_format"
        case containerFormat = "container_format"
        case hash = "os_hash_value"
    }

    package enum NumberField: String, Sendable, CaseIterable {
        case size
        case virtualSize = "virtual_size"
        case minDisk = "min_disk"
        case minMemory = "min_ram"
    }

    package enum TimeField: String, Sendable, CaseIterable {
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    package enum FlagField: String, Sendable {
        case protected
        case hidden = "os_hidden"
    }

    package enum Comparison: String, Sendable, CaseIterable {
        case eq, neq, gt, gte, lt, lte
    }

    package enum Filter: Sendable, Equatable {
        case text(TextField, anyOf: [String])
        case number(NumberField, Comparison, Int64)
        /// Seconds since 1970-01-01T00:00:00Z: what clients see of a time is what they compare with.
        case time(TimeField, Comparison, second: Int64)
        case flag(FlagField, Bool)
        /// Has the hash that every image gets with its data.
        case hashed
        case tag(String)
        case property(name: String, value: String)
        /// Matches no image.
        case nothing
    }

    package enum SortField: String, Sendable, CaseIterable {
        case name, status
        case containerFormat = "container_format"
        case diskFormat = "disk_format"
        case size, id
        case createdAt = "created_at"
        case updatedAt = "updated_at"
    }

    package struct SortKey: Sendable, Equatable {
        package var field: SortField
        package var ascending: Bool

        package init(_ field: SortField, ascending: Bool) {
            self.field = field
            self.ascending = ascending
        }
    }

    /// Which visibilities were asked for.
    package enum Visibility: Sendable, Equatable {
        /// One's own, public and shared ones; community images of others only by name.
        case usual
        case all
        case only(Image.Visibility)
    }

    /// Who asks.
    package enum Viewer: Sendable, Equatable {
        case administrator(ProjectID?)
        case project(ProjectID)
    }

    package var viewer: Viewer
    package var visibility = Visibility.usual
    /// Of memberships; `nil` is any.
    package var memberStatus: String? = "accepted"
    package var filters: [Filter] = []
    /// A total order: it ends in the id.
    package var sort: [SortKey] = [.init(.createdAt, ascending: false), .init(.id, ascending: false)]
    package var limit: Int
    /// The page begins after this image.
    package var marker: Image?

    package init(viewer: Viewer, limit: Int) {
        self.viewer = viewer
        self.limit = limit
    }
}
