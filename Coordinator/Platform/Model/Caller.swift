import ProtocolModel

/// Who is asking, as the token says and the identity store confirms.
public struct Caller: Sendable, Hashable {
    public enum Scope: Sendable, Hashable {
        case unscoped
        case project(ProjectID)
        /// The domain's id as clients see it (`default` or 32 digits).
        case domain(String)
        case system
    }

    public var user: UserID
    public var userName: String
    public var userDomain: String
    public var scope: Scope
    public var projectName: String
    /// Role names with the implied ones.
    public var roles: Set<String>
    /// The only calls the token is good for; `nil` for one that is good for all.
    public var accessRules: AccessRules?

    public init(
        user: UserID, userName: String, userDomain: String, scope: Scope, projectName: String, roles: Set<String>,
        accessRules: AccessRules? = nil
    ) {
        self.user = user
        self.userName = userName
        self.userDomain = userDomain
        self.scope = scope
        self.projectName = projectName
        self.roles = roles
        self.accessRules = accessRules
    }

    public var isAdmin: Bool { roles.contains("admin") }
    /// Not inlined: Swift 6.3's optimizer gives up in "CopyPropagation" where it meets the pattern beside another use.
    public var project: ProjectID? {
        @inline(never) get { if case .project(let id) = scope { id } else { nil } }
    }
}
