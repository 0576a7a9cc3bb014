import CoordinatorPlatform
import ProtocolModel

/// Whose eyes look: administrators see all, others what is theirs or open to them. What one may do with what one sees
/// is the policy's to say.
package struct Viewer: Sendable, Hashable {
    package var isAdmin: Bool
    package var project: ProjectID?

    package init(isAdmin: Bool, project: ProjectID?) {
        self.isAdmin = isAdmin
        self.project = project
    }

    package init(_ caller: Caller) { self.init(isAdmin: caller.isAdmin, project: caller.project) }

    /// The cloud itself, when it cleans up.
    package static let everything = Viewer(isAdmin: true, project: nil)

    /// The owner that a rule is asked about where several may: the viewer, where it is one of them.
    func project(among owners: ProjectID...) -> ProjectID? {
        owners.first { $0 == project } ?? owners.first
    }
}
