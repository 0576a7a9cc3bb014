import CoordinatorPlatform
import ProtocolModel

/// Which servers to list, in which order.
package struct ServerQuery: Sendable {
    /// Whose servers the caller sees.
    package enum Scope: Sendable, Hashable {
        case everybody
        case project(ProjectID)
        case user(UserID)
    }

    package var scope = Scope.everybody
    /// What the database decides, in the API's names.
    package var list = ListQuery()
    /// Searched in what the row says.
    package var name: NamePattern?
    package var hostname: NamePattern?
    package var description: NamePattern?
    /// Searched in the fixed addresses.
    package var address: NamePattern?
    package var addressFamily: IPAddress.Family?
    /// Names are shown.
    package var wantsNames = true

    package init() {}

    package var isSearched: Bool { name != nil || hostname != nil || description != nil || address != nil }
    /// Identities and generations are enough: the rest is rendered already or read anyway.
    package var isBare: Bool { !wantsNames && !isSearched }
}

/// What a list needs to know of a server before anything is rendered.
package struct ServerLine: Sendable, Hashable {
    package var id: ServerID
    package var generation: Int64
    package var node: NodeID?
    package var name: String
    package var hostname: String
    package var description: String?

    package init(
        id: ServerID, generation: Int64, node: NodeID?, name: String = "", hostname: String = "",
        description: String? = nil
    ) {
        self.id = id
        self.generation = generation
        self.node = node
        self.name = name
        self.hostname = hostname
        self.description = description
    }
}
