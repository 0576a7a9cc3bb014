import CoordinatorPlatform
import ProtocolModel

/// Whose eyes look: administrators see all, others what is theirs or open to them.
package struct Viewer: Sendable, Hashable {
    package var isAdmin: Bool
    package var project: ProjectID?

    package init(isAdmin: Bool, project: ProjectID?) {
        self.isAdmin = isAdmin
        self.project = project
    }

    package init(_ caller: Caller) { self.init(isAdmin: caller.isAdmin, project: caller.project) }

    func owns(_ project: ProjectID) -> Bool { isAdmin || self.project == project }
    func sees(_ network: NetworkRecord) -> Bool { owns(network.project) || network.isShared || network.isExternal }
}
