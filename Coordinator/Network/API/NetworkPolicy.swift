import CoordinatorPlatform

/// Who may do what, after Neutron's default policies. What is not named is for administrators.
enum NetworkPolicy {
    static let rules: [String: Policy.Rule] = [
        "create_network": .projectMember, "update_network": .projectMember, "delete_network": .projectMember,
        "create_subnet": .projectMember, "update_subnet": .projectMember, "delete_subnet": .projectMember,
        "create_port": .projectMember, "update_port": .projectMember, "delete_port": .projectMember,
        "create_security_group": .projectMember, "update_security_group": .projectMember,
        "delete_security_group": .projectMember, "create_security_group_rule": .projectMember,
        "delete_security_group_rule": .projectMember, "get_quota": .projectReader, "update_tags": .projectMember,
        // Asked with the owner of the port's network as the target.
        "create_port:mac_address": .projectMember, "create_port:fixed_ips:ip_address": .projectMember,
        "create_port:port_security_enabled": .projectMember, "create_port:device_owner": .projectMember,
        "create_port:allowed_address_pairs": .projectMember, "update_port:fixed_ips:ip_address": .projectMember,
        "update_port:port_security_enabled": .projectMember, "update_port:device_owner": .projectMember,
        "update_port:allowed_address_pairs": .projectMember
    ]

    static let policy = Policy(rules: rules)
}
