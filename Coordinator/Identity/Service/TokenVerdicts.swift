import ProtocolModel

extension TokenService {
    /// What an agent is told of a token that a client showed it.
    /// - Returns: `nil` for a token that is none or none any more, and for one that is good for some calls only: which
    ///   those are, only the services here can tell.
    public func verdict(on text: String) -> TokenVerdict? {
        guard let token = validate(text), token.caller.accessRules == nil else { return nil }
        return verdict(token)
    }

    func verdict(_ token: ValidToken) -> TokenVerdict {
        let caller = token.caller
        return TokenVerdict(
            user: caller.user, userName: caller.userName, userDomain: caller.userDomain, project: caller.project,
            projectName: caller.projectName, projectDomain: caller.project.flatMap(projectDomain) ?? "",
            roles: caller.roles, expiresAt: token.payload.expiresAt)
    }

    private func projectDomain(_ project: ProjectID) -> String? { directory.state.projects[project]?.domain }
}
