import ProtocolModel

/// What one project lets another use, or all others, as it is stored.
struct RBACRecord: Sendable, Hashable {
    enum Kind: String, Sendable, Hashable, CaseIterable {
        case network, subnetpool
        case securityGroup = "security_group"
        case addressScope = "address_scope"
        case addressGroup = "address_group"
        case qosPolicy = "qos_policy"

        var actions: [Action] { self == .network ? [.shared, .external] : [.shared] }
    }

    enum Action: String, Sendable, Hashable {
        case shared = "access_as_shared"
        /// As the outside of routers, and for floating IPs.
        case external = "access_as_external"
    }

    var id: RBACPolicyID
    /// Whose permission it is, which need not be the thing's owner.
    var project: ProjectID
    /// Policies have nothing of what is standard.
    var standard: Standard
    var kind: Kind
    /// The thing's.
    var object: AnyID
    var target: RBACTarget
    var action: Action
}

/// Whom something is shared with.
package enum RBACTarget: Sendable, Hashable {
    case everybody
    case project(ProjectID)

    package init?(_ text: String) {
        if text == "*" {
            self = .everybody
        } else if let project = ProjectID(text) {
            self = .project(project)
        } else {
            return nil
        }
    }

    /// In the words of the API.
    package var text: String {
        switch self {
        case .everybody: "*"
        case .project(let project): project.compact
        }
    }
}
