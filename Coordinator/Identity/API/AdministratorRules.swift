import CoordinatorPlatform

extension IdentityPolicy {
    /// What is for administrators, by name, so that operators can open it to others; and what is for whoever has a token.
    static let otherRules: [String: Policy.Rule] = Dictionary(
        uniqueKeysWithValues: administrators.map { ("identity:\($0)", Policy.Rule.admin) }
            + ["projects", "domains", "system", "catalog"].map { ("identity:get_auth_\($0)", .anybody) })

    private static let administrators = [
        "create_domain", "update_domain", "delete_domain", "create_role", "update_role", "delete_role",
        "create_implied_role", "delete_implied_role", "create_system_grant_for_user", "revoke_system_grant_for_user",
        "create_system_grant_for_group", "revoke_system_grant_for_group", "create_region", "update_region",
        "delete_region", "create_service", "update_service", "delete_service", "create_endpoint", "update_endpoint",
        "delete_endpoint", "add_endpoint_to_project", "remove_endpoint_from_project", "create_endpoint_group",
        "update_endpoint_group", "delete_endpoint_group", "add_endpoint_group_to_project",
        "remove_endpoint_group_from_project", "create_policy", "update_policy", "delete_policy",
        "create_policy_association_for_endpoint", "delete_policy_association_for_endpoint",
        "create_policy_association_for_service", "delete_policy_association_for_service",
        "create_policy_association_for_region_and_service", "delete_policy_association_for_region_and_service",
        "create_registered_limits", "update_registered_limit", "delete_registered_limit", "create_limits",
        "update_limit", "delete_limit", "create_domain_config", "update_domain_config", "delete_domain_config"
    ]
}
