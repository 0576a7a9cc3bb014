import CoordinatorPlatform

/// Who may do what, after Neutron's default policies. What is not named is for administrators.
enum NetworkPolicy {
    /// Also asked for the ports that servers are made with.
    static let createPort = "create_port"
    static let chooseAddress = "create_port:fixed_ips:ip_address"

    static let rules: [String: Policy.Rule] = [
        "create_network": .projectMember, "update_network": .projectMember, "delete_network": .projectMember,
        "create_subnet": .projectMember, "update_subnet": .projectMember, "delete_subnet": .projectMember,
        createPort: .projectMember, "update_port": .projectMember, "delete_port": .projectMember,
        "create_security_group": .projectMember, "update_security_group": .projectMember,
        "delete_security_group": .projectMember, "create_security_group_rule": .projectMember,
        "delete_security_group_rule": .projectMember, "get_quota": .projectReader, "update_tags": .projectMember,
        // Asked with the owner of the port's network as the target.
        "create_port:mac_address": .projectMember, chooseAddress: .projectMember,
        "create_port:port_security_enabled": .projectMember, "create_port:device_owner": .projectMember,
        "create_port:allowed_address_pairs": .projectMember, "update_port:fixed_ips:ip_address": .projectMember,
        "update_port:port_security_enabled": .projectMember, "update_port:device_owner": .projectMember,
        "update_port:allowed_address_pairs": .projectMember
    ]

    /// What shows hosts, physical networks or other projects.
    private static let administrators = [
        "create_network:shared", "create_network:router:external", "create_network:is_default",
        "create_network:provider:network_type", "create_network:provider:physical_network",
        "create_network:provider:segmentation_id", "update_network:shared", "update_network:router:external",
        "update_network:is_default", "create_port:binding:host_id", "create_port:binding:profile",
        "update_port:binding:host_id", "update_port:binding:profile", "update_port:mac_address", "get_agent",
        "get_network_ip_availability", "list_quotas", "update_quota", "delete_quota"
    ]
    /// What answers show of networks and ports to administrators alone.
    static let shownProvider = [
        "get_network:provider:network_type", "get_network:provider:physical_network",
        "get_network:provider:segmentation_id"
    ]
    static let shownBinding = [
        "get_port:binding:host_id", "get_port:binding:profile", "get_port:binding:vif_type",
        "get_port:binding:vif_details"
    ]
    /// Asked about the caller's own project. Which networks, ports and so on one then sees is above every rule: those of
    /// one's project and shared ones, and all for administrators.
    private static let readers = [
        "get_network", "get_subnet", "get_port", "get_security_group", "get_security_group_rule", "get_tags",
        "get_availability_zone"
    ]

    static let policy = Policy(
        rules: rules.merging(RouterPolicy.rules) { own, _ in own }.merging(SubnetPoolPolicy.rules) { own, _ in own }
            .merging(AddressGroupPolicy.rules) { own, _ in own }.merging(RBACPolicy.rules) { own, _ in own }
            .merging(QoSPolicyRules.rules) { own, _ in own }
            .merging(
                (administrators + shownProvider + shownBinding).map { ($0, .admin) }
            ) { own, _ in own }
            .merging(readers.map { ($0, .projectReader) }) { own, _ in own })
}
