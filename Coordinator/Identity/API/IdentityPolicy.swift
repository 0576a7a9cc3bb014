import CoordinatorPlatform

/// Who may do what in the identity API: the services' secure defaults. Rules are named as operators know them.
enum IdentityPolicy {
    private static let readers: Policy.Rule = .systemReader || .domain("reader")
    private static let managers: Policy.Rule = .domain("manager")
    private static let inOwnProject: Policy.Rule = "project_id:%(target.project.id)s"
    private static let anyManager: Policy.Rule = .role("manager")
    /// A domain's own roles are for the system's readers: a manager of another domain must not learn of them.
    private static let cloudRole: Policy.Rule = "role:manager and None:%(target.role.domain_id)s"
    private static let service: Policy.Rule = .role("service")

    static let policy = Policy(
        rules: ownRules.merging(resourceRules) { own, _ in own }.merging(DelegationPolicy.rules) { own, _ in own }
            .merging(otherRules) { own, _ in own })

    private static let ownRules: [String: Policy.Rule] = [
        "identity:validate_token": .owner || .systemReader || service,
        "identity:revoke_token": .owner,
        "identity:list_domains": readers, "identity:get_domain": readers || inOwnDomain,
        "identity:list_projects": readers, "identity:get_project": readers || inOwnProject,
        "identity:create_project": managers, "identity:update_project": managers, "identity:delete_project": managers,
        "identity:list_project_tags": readers || inOwnProject,
        "identity:list_users": readers, "identity:get_user": readers || .owner,
        "identity:create_user": managers, "identity:update_user": managers, "identity:delete_user": managers,
        "identity:list_groups": readers, "identity:get_group": readers,
        "identity:create_group": managers, "identity:update_group": managers, "identity:delete_group": managers,
        "identity:list_users_in_group": readers, "identity:add_user_to_group": managers,
        "identity:remove_user_from_group": managers,
        "identity:list_groups_for_user": readers || .owner, "identity:list_user_projects": readers || .owner,
        "identity:list_roles": .systemReader || anyManager, "identity:get_role": .systemReader || cloudRole,
        "identity:list_implied_roles": .systemReader,
        "identity:list_role_assignments": readers,
        "identity:list_grants": readers, "identity:check_grant": readers,
        "identity:create_grant": managers, "identity:revoke_grant": managers,
        "identity:list_regions": .anybody, "identity:get_region": .anybody,
        "identity:list_services": .systemReader, "identity:get_service": .systemReader,
        "identity:list_endpoints": .systemReader, "identity:get_endpoint": .systemReader
    ]

    private static let inOwnDomain: Policy.Rule =
        "user_domain_id:%(target.domain.id)s or domain_id:%(target.domain.id)s"

    /// Roles that only the administrator gives: a domain's manager must not make administrators, by what these roles
    /// imply as little as by another spelling.
    static func mayGive(_ role: Role, _ caller: Caller, _ state: IdentityState) -> Bool {
        if caller.isAdmin { return true }
        return ["manager", "member", "reader"].contains(role.name) && !state.reachesEverywhere(roles: [role.key])
    }

    /// Nobody but an administrator takes over one, or an account of the services, by a new password, or by joining a
    /// group that makes some.
    /// - Parameter given: To the user or group that is to be changed.
    static func requireMayChange(
        holding given: Set<Assignment>, _ state: IdentityState, _ call: APICall, rule: String
    ) throws {
        guard try !call.requireCaller().isAdmin, state.reachesEverywhere(given) else { return }
        throw call.words.forbidden(rule)
    }
}
