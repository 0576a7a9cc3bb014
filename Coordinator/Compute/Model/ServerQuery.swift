import CoordinatorPlatform
import ProtocolModel

/// Which servers to list, in which order.
struct ServerQuery: Sendable {
    /// `nil` for all projects.
    var project: ProjectID?
    var user: UserID?
    /// `nil` for deleted ones too.
    var isDeleted: Bool? = false
    var vmStates: [String]?
    var taskStates: [String]?
    var changesSince: Int64?
    var changesBefore: Int64?
    /// Columns that must have exactly this value.
    var equal: [(column: String, value: any SQLArgument)] = []
    var isLocked: Bool?
    /// Has all of them.
    var tags: [String] = []
    var tagsAny: [String] = []
    /// Has not all of them.
    var notTags: [String] = []
    var notTagsAny: [String] = []
    /// Searched in what the row says.
    var name: NamePattern?
    var hostname: NamePattern?
    var description: NamePattern?
    /// Searched in the fixed addresses.
    var address: NamePattern?
    var addressFamily: IPAddress.Family?
    var order: [Order] = [Order(column: "created_at", isDescending: true)]
    var limit = 1000
    var marker: ServerID?
    /// Nothing can match.
    var isEmpty = false
    /// Names are shown.
    var wantsNames = true

    var isSearched: Bool { name != nil || hostname != nil || description != nil || address != nil }
    /// Identities and generations are enough: the rest is rendered already or read anyway.
    var isBare: Bool { !wantsNames && !isSearched }

    struct Order: Sendable, Hashable {
        var column: String
        var isDescending: Bool
    }
}

/// What a list needs to know of a server before anything is rendered.
struct ServerLine: Sendable, Hashable {
    var id: ServerID
    var generation: Int64
    var node: NodeID?
    var name: String
    var hostname: String
    var description: String?
}
