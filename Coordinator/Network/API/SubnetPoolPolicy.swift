import CoordinatorPlatform

/// Who may do what with subnet pools and address scopes, after Neutron's default policies.
enum SubnetPoolPolicy {
    static let rules: [String: Policy.Rule] = [
        "create_subnetpool": .projectMember, "create_subnetpool:shared": .admin, "create_subnetpool:is_default": .admin,
        "get_subnetpool": .projectReader, "update_subnetpool": .projectMember, "update_subnetpool:is_default": .admin,
        "delete_subnetpool": .projectMember, "onboard_network_subnets": .projectMember, "add_prefixes": .projectMember,
        "remove_prefixes": .projectMember, "create_address_scope": .projectMember,
        "create_address_scope:shared": .admin, "get_address_scope": .projectReader,
        "update_address_scope": .projectMember, "update_address_scope:shared": .admin,
        "delete_address_scope": .projectMember
    ]
}

/// What the API can do with them, as neutron-lib names it.
extension APIExtension {
    static let pools = [
        APIExtension(
            "subnet_allocation", "Subnet Allocation", "Enables allocation of subnets from a subnet pool",
            "2015-03-30T10:00:00-00:00"),
        APIExtension(
            "default-subnetpools", "Default Subnetpools",
            "Provides ability to mark and use a subnetpool as the default.", "2016-02-18T18:00:00-00:00"),
        APIExtension(
            "subnetpool-prefix-ops", "Subnet Pool Prefix Operations",
            "Provides support for adjusting the prefix list of subnet pools", "2019-02-08T10:00:00-00:00"),
        APIExtension(
            "subnet_onboard", "Subnet Onboard", "Provides support for onboarding subnets into subnet pools",
            "2018-12-18T09:00:00-00:00"),
        APIExtension("address-scope", "Address scope", "Address scopes extension.", "2015-07-26T10:00:00-00:00")
    ]
}
