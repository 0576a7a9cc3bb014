import CoordinatorPlatform

/// Who may do what in the identity API: the services' secure defaults. Rules are named as operators know them.
enum IdentityPolicy {
    private static let readers: Policy.Rule = .systemReader || .domain("reader")
    private static let managers: Policy.Rule = .domain("manager")
    private static let inOwnProject = Policy.Rule { caller, target in
        target.project != nil && target.project == caller.project
    }
    private static let anyManager = Policy.Rule { caller, _ in caller.roles.contains("manager") }
    private static let service = Policy.Rule { caller, _ in caller.roles.contains("service") }

    static let policy = Policy(rules: [
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
        "identity:list_roles": .systemReader || anyManager, "identity:get_role": .systemReader || anyManager,
        "identity:list_implied_roles": .systemReader,
        "identity:list_role_assignments": readers,
        "identity:list_grants": readers, "identity:check_grant": readers,
        "identity:create_grant": managers, "identity:revoke_grant": managers,
        "identity:list_regions": .anybody, "identity:get_region": .anybody,
        "identity:list_services": .systemReader, "identity:get_service": .systemReader,
        "identity:list_endpoints": .systemReader, "identity:get_endpoint": .systemReader
    ])

    private static let inOwnDomain = Policy.Rule { caller, target in
        target.domain != nil && (target.domain == caller.userDomain || caller.scope == .domain(target.domain ?? ""))
    }

    /// Roles that only the administrator gives: a domain's manager must not make administrators.
    static func mayGive(_ role: Role, _ caller: Caller) -> Bool {
        caller.isAdmin || ["manager", "member", "reader"].contains(role.name)
    }
}
