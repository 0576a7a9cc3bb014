import CoordinatorPlatform

extension IdentityPolicy {
    private static let ownProject: Policy.Rule = "project_id:%(target.project.id)s"
    private static let readers: Policy.Rule = .systemReader || .domain("reader")
    private static let managers: Policy.Rule = .domain("manager")

    /// The rules of grants, trees, tags, filters, policies, limits and domain configurations. What is not named here
    /// or in ``policy`` is the administrator's.
    static let resourceRules: [String: Policy.Rule] = {
        var rules: [String: Policy.Rule] = [
            "identity:get_project_tag": readers || ownProject,
            "identity:create_project_tag": managers, "identity:update_project_tags": managers,
            "identity:delete_project_tag": managers, "identity:delete_project_tags": managers,
            "identity:list_role_assignments_for_tree": readers,
            "identity:list_registered_limits": .anybody, "identity:get_registered_limit": .anybody,
            "identity:get_limit_model": .anybody, "identity:list_limits": .anybody,
            "identity:get_limit": readers || ownProject,
            "identity:get_security_compliance_domain_config": .anybody
        ]
        for name in systemReaders { rules["identity:\(name)"] = .systemReader }
        return rules
    }()

    private static let systemReaders = [
        "list_system_grants_for_user", "check_system_grant_for_user", "list_system_grants_for_group",
        "check_system_grant_for_group", "list_role_inference_rules", "get_implied_role", "list_endpoint_groups",
        "get_endpoint_group", "list_projects_associated_with_endpoint_group",
        "list_endpoints_associated_with_endpoint_group", "get_endpoint_group_in_project",
        "list_endpoint_groups_for_project", "list_projects_for_endpoint", "check_endpoint_in_project",
        "list_endpoints_for_project", "list_policies", "get_policy", "check_policy_association_for_endpoint",
        "check_policy_association_for_service", "check_policy_association_for_region_and_service",
        "get_policy_for_endpoint", "list_endpoints_for_policy", "get_domain_config", "get_domain_config_default"
    ]
}
