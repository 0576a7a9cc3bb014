import CoordinatorPlacement
import ProtocolModel

/// A row of `server_groups`.
package struct ServerGroup: Sendable, Hashable {
    package var number: Int64 = 0
    package var id: ServerGroupID
    package var project: ProjectID
    package var user: UserID
    package var name: String
    package var policy: PlacementGroup.Policy
    /// Servers that may be on one host where they are to be apart; `nil` where nobody said so.
    package var mostPerHost: Int?
    package var createdAt: Int64

    package init(
        id: ServerGroupID, project: ProjectID, user: UserID, name: String, policy: PlacementGroup.Policy,
        mostPerHost: Int? = nil, createdAt: Int64
    ) {
        self.id = id
        self.project = project
        self.user = user
        self.name = name
        self.policy = policy
        self.mostPerHost = mostPerHost
        self.createdAt = createdAt
    }

    var placement: PlacementGroup {
        PlacementGroup(id: id.cast(), policy: policy, mostPerHost: mostPerHost ?? 1)
    }
}

package enum ServerGroupTag {}
package typealias ServerGroupID = Identifier<ServerGroupTag>
