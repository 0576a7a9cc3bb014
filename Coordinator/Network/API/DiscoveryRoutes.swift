import CoordinatorPlatform

/// Version documents and the list of extensions.
struct DiscoveryRoutes: Sendable {
    var routes: [Route] {
        [
            Route(.get, "/", access: .anybody, handler: versions),
            Route(.get, "/v2.0", access: .anybody, handler: resources),
            Route(.get, "/v2.0/extensions", handler: extensions).open(because: Self.reason),
            Route(.get, "/v2.0/extensions/{alias}", handler: showExtension).open(because: Self.reason)
        ]
    }

    private static let reason = "what the API can do"

    private static let collections = [
        ("network", "networks", "networks"), ("subnet", "subnets", "subnets"), ("port", "ports", "ports"),
        ("security_group", "security_groups", "security-groups"),
        ("security_group_rule", "security_group_rules", "security-group-rules"), ("quota", "quotas", "quotas"),
        ("agent", "agents", "agents"), ("availability_zone", "availability_zones", "availability_zones"),
        ("extension", "extensions", "extensions"), ("router", "routers", "routers"),
        ("floatingip", "floatingips", "floatingips"), ("subnetpool", "subnetpools", "subnetpools"),
        ("address_scope", "address_scopes", "address-scopes"),
        ("address_group", "address_groups", "address-groups"), ("policy", "policies", "qos/policies"),
        ("rule_type", "rule_types", "qos/rule-types"), ("rbac_policy", "rbac_policies", "rbac-policies"),
        ("network_ip_availability", "network_ip_availabilities", "network-ip-availabilities")
    ]

    @Sendable private func versions(_ call: APICall) async throws -> APIResponse {
        .json(VersionDocument.list([VersionDocument("v2.0", path: "/network/v2.0/")], at: call.baseURL))
    }

    @Sendable private func resources(_ call: APICall) async throws -> APIResponse {
        .json([
            "resources": .array(
                Self.collections.map { name, collection, path in
                    [
                        "name": JSON(name), "collection": JSON(collection),
                        "links": [["rel": "self", "href": JSON("\(call.baseURL)/network/v2.0/\(path)")]]
                    ]
                })
        ])
    }

    @Sendable private func extensions(_ call: APICall) async throws -> APIResponse {
        .json(["extensions": .array(APIExtension.announced.map(\.view))])
    }

    @Sendable private func showExtension(_ call: APICall) async throws -> APIResponse {
        let alias = call.parameter("alias")
        guard let found = APIExtension.announced.first(where: { $0.alias == alias }) else {
            throw APIError.notFound("Extension with alias \(alias) does not exist", type: "HTTPNotFound")
        }
        return .json(["extension": found.view])
    }
}

/// One of Neutron's API extensions that is wholly there.
struct APIExtension: Sendable {
    var alias: String
    var name: String
    var description: String
    var updated: String

    var view: JSON {
        [
            "alias": JSON(alias), "name": JSON(name), "description": JSON(description), "updated": JSON(updated),
            "links": []
        ]
    }

    init(_ alias: String, _ name: String, _ description: String, _ updated: String) {
        self.alias = alias
        self.name = name
        self.description = description
        self.updated = updated
    }

    /// Names, descriptions and dates as neutron-lib has them; clients go by the alias.
    static let all = [
        APIExtension(
            "allowed-address-pairs", "Allowed Address Pairs", "Provides allowed address pairs",
            "2013-07-23T10:00:00-00:00"),
        APIExtension(
            "availability_zone", "Availability Zone", "The availability zone extension.", "2015-01-01T10:00:00-00:00"),
        APIExtension(
            "binding", "Port Binding", "Expose port bindings of a virtual port to external application",
            "2014-02-03T10:00:00-00:00"),
        APIExtension(
            "empty-string-filtering", "Empty String Filtering Extension",
            "Allow filtering by attributes with empty string value", "2018-05-01T10:00:00-00:00"),
        APIExtension(
            "external-net", "Neutron external network", "Adds external network attribute to network resource.",
            "2013-01-14T10:00:00-00:00"),
        APIExtension(
            "filter-validation", "Filter parameters validation", "Provides validation on filter parameters.",
            "2018-07-04T10:00:00-00:00"),
        APIExtension(
            "ip-substring-filtering", "IP address substring filtering",
            "Provides IP address substring filtering when listing ports", "2017-11-28T09:00:00-00:00"),
        APIExtension(
            "net-mtu", "Network MTU", "Provides MTU attribute for a network resource.", "2015-03-25T10:00:00-00:00"),
        APIExtension(
            "net-mtu-writable", "Network MTU (writable)", "Provides a writable MTU attribute for a network resource.",
            "2017-07-12T00:00:00-00:00"),
        APIExtension(
            "network-ip-availability", "Network IP Availability",
            "Provides IP availability data for each network and subnet.", "2015-09-24T00:00:00-00:00"),
        APIExtension(
            "pagination", "Pagination support", "Extension that indicates that pagination is enabled.",
            "2016-06-12T00:00:00-00:00"),
        APIExtension("port-security", "Port Security", "Provides port security", "2012-07-23T10:00:00-00:00"),
        APIExtension(
            "port-security-groups-filtering", "Port filtering on security groups",
            "Provides security groups filtering when listing ports", "2018-01-09T09:00:00-00:00"),
        APIExtension(
            "project-id", "project_id field enabled", "Extension that indicates that project_id field is enabled.",
            "2016-09-09T09:09:09-09:09"),
        APIExtension(
            "provider", "Provider Network", "Expose mapping of virtual networks to physical networks",
            "2012-09-07T10:00:00-00:00"),
        APIExtension(
            "quotas", "Quota management support", "Expose functions for quotas management per project",
            "2012-07-29T10:00:00-00:00"),
        APIExtension(
            "quota_details", "Quota details management support",
            "Expose functions for quotas usage statistics per project", "2017-02-10T10:00:00-00:00"),
        APIExtension(
            "security-group", "security-group", "The security groups extension.", "2012-10-05T10:00:00-00:00"),
        APIExtension(
            "security-groups-normalized-cidr", "Normalized CIDR field for security group rules",
            "Add new field with normalized remote_ip_prefix cidr in SG rule", "2020-07-28T10:00:00-00:00"),
        APIExtension(
            "security-groups-rules-belongs-to-default-sg",
            "Security group rule belongs to the project's default security group",
            "Flag to determine if the security group rule belongs to the project's default security group",
            "2023-05-23T10:00:00-00:00"),
        APIExtension(
            "sort-key-validation", "Sort keys validation", "Provides validation on sort keys.",
            "2018-07-04T10:00:00-00:00"),
        APIExtension(
            "sorting", "Sorting support", "Extension that indicates that sorting is enabled.",
            "2016-06-12T00:00:00-00:00"),
        APIExtension(
            "standard-attr-description", "standard-attr-description",
            "Extension to add descriptions to standard attributes", "2016-02-10T10:00:00-00:00"),
        APIExtension(
            "standard-attr-revisions", "Resource revision numbers",
            "This extension will display the revision number of neutron resources.", "2016-04-11T10:00:00-00:00"),
        APIExtension(
            "standard-attr-tag", "Tag support for resources with standard attribute",
            "Enables to set tag on resources with standard attribute.", "2017-01-01T00:00:00-00:00"),
        APIExtension(
            "standard-attr-timestamp", "Resource timestamps",
            "Adds created_at and updated_at fields to all Neutron resources that have Neutron standard attributes.",
            "2016-09-12T10:00:00-00:00"),
        APIExtension(
            "subnet-external-network", "Subnet belongs to an external network",
            "Informs if the subnet belongs to an external network", "2024-02-05T18:00:00-00:00")
    ]
}
