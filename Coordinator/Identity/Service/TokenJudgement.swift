import CoordinatorPlatform
import ProtocolModel

extension TokenService {
    /// What a payload means in a state of the directory. Pure; the clock is not asked, so the payload's end must be
    /// checked before.
    static func judge(_ payload: TokenPayload, _ state: IdentityState) -> ValidToken? {
        // Who revokes the first token of a chain revokes all that were made from it.
        guard state.revoked[payload.audit] == nil,
            payload.parentAudit.map({ state.revoked[$0] == nil }) ?? true,
            payload.issuedAt >= state.tokensValidFrom(payload), let holder = usable(payload.user, state)
        else { return nil }
        if let key = payload.trust { return judge(payload, trust: key.compact, holder, state) }
        if let key = payload.applicationCredential {
            return judge(payload, applicationCredential: key.compact, holder, state)
        }
        var roles: [Role] = []
        switch payload.scope {
        case .unscoped: break
        case .project(let id):
            guard let project = state.projects[id], state.isUsable(project) else { return nil }
            roles = state.roles(of: holder.id, at: .project(id))
        case .domain(let key):
            guard state.domains[key]?.isEnabled == true else { return nil }
            roles = state.roles(of: holder.id, at: .domain(key))
        case .system: roles = state.roles(of: holder.id, at: .system)
        }
        guard payload.scope == .unscoped || !roles.isEmpty else { return nil }
        return ValidToken(
            payload: payload, caller: caller(holder, payload, roles, state), user: holder, roles: roles,
            generation: state.generation)
    }

    private static func usable(_ id: UserID, _ state: IdentityState) -> User? {
        state.users[id].flatMap { state.isUsable($0) ? $0 : nil }
    }

    private static func caller(
        _ user: User, _ payload: TokenPayload, _ roles: [Role], _ state: IdentityState, _ rules: AccessRules? = nil
    ) -> Caller {
        var scope = Caller.Scope.unscoped
        var projectName = ""
        switch payload.scope {
        case .unscoped: break
        case .project(let id):
            scope = .project(id)
            projectName = state.projects[id]?.name ?? ""
        case .domain(let key): scope = .domain(key)
        case .system: scope = .system
        }
        return Caller(
            user: user.id, userName: user.name, userDomain: user.domain, scope: scope, projectName: projectName,
            roles: Set(roles.map(\.name)), accessRules: rules)
    }

    /// The credential's roles as far as the user still has them.
    private static func judge(
        _ payload: TokenPayload, applicationCredential key: String, _ user: User, _ state: IdentityState
    ) -> ValidToken? {
        guard let credential = state.delegations.applicationCredentials[key], credential.user == user.id,
            payload.scope == .project(credential.project), let project = state.projects[credential.project],
            state.isUsable(project)
        else { return nil }
        let given = Set(credential.roles)
        let roles = state.roles(of: user.id, at: .project(project.id)).filter { given.contains($0.key) }
        guard !roles.isEmpty else { return nil }
        var rules: AccessRules?
        if !credential.accessRules.isEmpty {
            // A rule that is gone allows nothing.
            rules = AccessRules(credential.accessRules.compactMap { state.delegations.accessRules[$0]?.rule })
        }
        return ValidToken(
            payload: payload, caller: caller(user, payload, roles, state, rules), user: user, roles: roles,
            generation: state.generation, applicationCredential: credential)
    }

    /// All the trust's roles, all of which the first trustor must still have.
    private static func judge(
        _ payload: TokenPayload, trust key: String, _ trustee: User, _ state: IdentityState
    ) -> ValidToken? {
        guard let trust = state.delegations.trusts[key], trust.trustee == trustee.id,
            let trustor = usable(trust.trustor, state), let chain = state.delegations.chain(of: trust),
            // Everybody who passed it on must be there still.
            chain.dropFirst().allSatisfy({ state.users[$0.trustee].map(state.isUsable) ?? false }),
            let origin = chain.last.flatMap({ state.users[$0.trustor] }), state.isUsable(origin),
            payload.scope == (trust.project.map { .project($0) } ?? .unscoped)
        else { return nil }
        var roles: [Role] = []
        if let id = trust.project {
            guard let project = state.projects[id], state.isUsable(project) else { return nil }
            let given = state.expanded(Set(trust.roles))
            let held = state.rolesIncludingDomainOwn(of: origin.id, at: .project(id))
            guard given.isSubset(of: held) else { return nil }
            roles = given.compactMap { state.roles[$0] }.filter { $0.domain == nil }
                .sorted { ($0.name, $0.key) < ($1.name, $1.key) }
            guard !roles.isEmpty else { return nil }
        }
        let shown = trust.isImpersonating ? trustor : trustee
        return ValidToken(
            payload: payload, caller: caller(shown, payload, roles, state), user: shown, roles: roles,
            generation: state.generation, trust: trust)
    }
}

extension IdentityState {
    /// Tokens like this one that were issued before are void. Microseconds since 1970.
    func tokensValidFrom(_ payload: TokenPayload) -> Int64 {
        var bounds = [users[payload.user]?.tokensValidFrom]
        if let trust = payload.trust.flatMap({ delegations.trusts[$0.compact] }) {
            bounds.append(users[trust.trustor]?.tokensValidFrom)
        }
        if let delegation = payload.delegation { bounds.append(delegationBounds[delegation]?.issuedBefore) }
        return bounds.compactMap { $0 }.max() ?? 0
    }

    /// Keys of the roles a user has at a place, with the implied ones and those of a domain.
    func rolesIncludingDomainOwn(of user: UserID, at target: Assignment.Target) -> Set<String> {
        expanded(Set(assignments(of: user).filter { counts($0, at: target) }.map(\.role)))
    }
}
