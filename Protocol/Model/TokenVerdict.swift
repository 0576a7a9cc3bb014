/// What a token is good for at the moment: what an agent is told that serves clients of the cloud itself.
public struct TokenVerdict: Hashable, Sendable {
    public var user: UserID
    public var userName: String
    /// Key of the user's domain, as the identity API shows it: `default` or 32 digits.
    public var userDomain: String
    /// `nil`: the token is not for a project.
    public var project: ProjectID?
    public var projectName: String
    public var projectDomain: String
    /// Names, with the implied ones.
    public var roles: Set<String>
    /// Microseconds since 1970.
    public var expiresAt: Int64

    public init(
        user: UserID, userName: String, userDomain: String, project: ProjectID?, projectName: String,
        projectDomain: String, roles: Set<String>, expiresAt: Int64
    ) {
        self.user = user
        self.userName = userName
        self.userDomain = userDomain
        self.project = project
        self.projectName = projectName
        self.projectDomain = projectDomain
        self.roles = roles
        self.expiresAt = expiresAt
    }
}
