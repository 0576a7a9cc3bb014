import CoordinatorPlatform

/// Who may do what with routers and floating IPs, after Neutron's default policies.
enum RouterPolicy {
    static let rules: [String: Policy.Rule] = [
        "create_router": .projectMember, "get_router": .projectReader, "update_router": .projectMember,
        "delete_router": .projectMember, "add_router_interface": .projectMember,
        "remove_router_interface": .projectMember, "add_extraroutes": .projectMember,
        "remove_extraroutes": .projectMember, "create_router:external_gateway_info": .projectMember,
        "create_router:external_gateway_info:network_id": .projectMember,
        "create_router:external_gateway_info:enable_snat": .admin,
        "create_router:external_gateway_info:external_fixed_ips": .admin,
        "update_router:external_gateway_info": .projectMember,
        "update_router:external_gateway_info:network_id": .projectMember,
        "update_router:external_gateway_info:enable_snat": .admin,
        "update_router:external_gateway_info:external_fixed_ips": .admin,
        "create_floatingip": .projectMember, "get_floatingip": .projectReader, "update_floatingip": .projectMember,
        "delete_floatingip": .projectMember, "create_floatingip:floating_ip_address": .projectManager,
        "create_floatingip_port_forwarding": .projectMember, "get_floatingip_port_forwarding": .projectReader,
        "update_floatingip_port_forwarding": .projectMember, "delete_floatingip_port_forwarding": .projectMember
    ]
}
