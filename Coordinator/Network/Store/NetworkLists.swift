import CoordinatorPlatform
import ProtocolModel

/// The attributes of networks, subnets, ports, groups and rules that list calls filter and sort by.
extension ListSchema {
    static func standard<Record>(
        _ table: RecordTable<Record>, from source: String? = nil, isTagged: Bool = true, hasName: Bool? = nil,
        _ own: [String: Column], special: [String: Special] = [:],
        spelling: [String: @Sendable (String) -> String] = [:]
    ) -> ListSchema {
        let alias = table.prefix
        var common: [String: Column] = [
            "id": Column("\(alias)uuid", .identifier), "project_id": Column("\(alias)project_id", .compactIdentifier),
            "tenant_id": Column("\(alias)project_id", .compactIdentifier),
            "description": Column("\(alias)description"), "revision_number": Column("\(alias)revision", .number)
        ]
        if hasName ?? isTagged { common["name"] = Column("\(alias)name") }
        let tags = isTagged ? TagSet.network.filters("\(alias)uuid") : [:]
        var schema = ListSchema(
            source: source ?? table.source, identity: Column("\(alias)uuid", .identifier), number: "\(alias)id",
            columns: common.merging(own) { $1 }, special: tags.merging(special) { $1 })
        // As the attribute itself is read: lists are asked in whatever words resources are made in.
        schema.spelling = spelling
        return schema
    }

    static let networks = standard(
        NetworkRecord.table,
        [
            "admin_state_up": Column("n.admin_state_up", .flag), "status": Column("COALESCE('ACTIVE', '')"),
            "shared": Column("n.shared", .flag), "router:external": Column("n.external", .flag),
            "is_default": Column("n.is_default", .flag), "mtu": Column("n.mtu", .number),
            "port_security_enabled": Column("n.port_security", .flag),
            "provider:network_type": Column("n.network_type"),
            "provider:physical_network": Column("n.physical_network", isNullable: true),
            "provider:segmentation_id": Column("n.segmentation_id", .number, isNullable: true)
        ])

    static let subnets = standard(
        SubnetRecord.table,
        [
            "network_id": Column("s.network_id", .identifier), "ip_version": Column("s.ip_version", .number),
            "cidr": Column("s.cidr"), "gateway_ip": Column("s.gateway_ip", isNullable: true),
            "enable_dhcp": Column("s.enable_dhcp", .flag),
            "ipv6_address_mode": Column("s.ipv6_address_mode", isNullable: true),
            "ipv6_ra_mode": Column("s.ipv6_ra_mode", isNullable: true), "shared": Column("n.shared", .flag),
            "router:external": Column("n.external", .flag),
            "subnetpool_id": Column("s.subnetpool_id", .identifier, isNullable: true)
        ],
        spelling: [
            "cidr": { text in text.contains("/") ? IPPrefix(text)?.description ?? text : text },
            "gateway_ip": { IPAddress($0)?.description ?? $0 }
        ])

    static let subnetPools = standard(
        SubnetPoolRecord.table,
        [
            "ip_version": Column("l.ip_version", .number), "is_default": Column("l.is_default", .flag),
            "shared": Column("l.shared", .flag), "default_quota": Column("l.default_quota", .number, isNullable: true),
            "min_prefixlen": Column("l.min_prefixlen", .number), "max_prefixlen": Column("l.max_prefixlen", .number),
            "default_prefixlen": Column("l.default_prefixlen", .number),
            "address_scope_id": Column("l.address_scope_id", .identifier, isNullable: true)
        ])

    /// Scopes are described and dated by nothing.
    static let addressScopes: ListSchema = {
        var schema = standard(
            AddressScopeRecord.table, isTagged: false, hasName: true,
            ["ip_version": Column("a.ip_version", .number), "shared": Column("a.shared", .flag)])
        schema.columns["description"] = nil
        schema.columns["revision_number"] = nil
        return schema
    }()

    static let ports = standard(
        PortRecord.table, from: "\(PortRecord.table.source) JOIN network_networks n ON n.uuid = p.network_id",
        [
            "network_id": Column("p.network_id", .identifier), "admin_state_up": Column("p.admin_state_up", .flag),
            "mac_address": Column("p.mac"), "device_id": Column("p.device_id"),
            "device_owner": Column("p.device_owner"), "status": Column("p.status"),
            "port_security_enabled": Column("p.port_security", .flag), "binding:host_id": Column("p.host"),
            "binding:vnic_type": Column("p.vnic_type")
        ], special: ["fixed_ips": fixedIPs, "security_groups": inGroups],
        spelling: ["mac_address": { MACAddress($0)?.description ?? $0 }])

    static let securityGroups = standard(
        SecurityGroupRecord.table, ["is_default": Column("g.is_default", .flag)],
        special: ["shared": { _ in .always }])

    /// Policies are named, described and dated by nothing.
    static let rbacPolicies: ListSchema = {
        var schema = standard(
            RBACRecord.table, isTagged: false,
            [
                "object_type": Column("b.object_type"), "object_id": Column("b.object_id", .identifier),
                "target_tenant": Column("b.target", .compactIdentifier), "action": Column("b.action")
            ])
        schema.columns["description"] = nil
        schema.columns["revision_number"] = nil
        return schema
    }()

    static let addressGroups = standard(AddressGroupRecord.table, [:])

    static let qosPolicies = standard(
        QoSPolicyRecord.table, ["is_default": Column("q.is_default", .flag)], special: ["shared": { _ in .always }])

    static let securityGroupRules = standard(
        RuleRecord.table, isTagged: false,
        [
            "security_group_id": Column("r.group_id", .identifier), "direction": Column("r.direction"),
            "ethertype": Column("CASE r.ip_version WHEN 4 THEN 'IPv4' ELSE 'IPv6' END"),
            "protocol": Column("r.protocol", isNullable: true),
            "port_range_min": Column("r.port_range_min", .number, isNullable: true),
            "port_range_max": Column("r.port_range_max", .number, isNullable: true),
            "remote_group_id": Column("r.remote_group_id", .identifier, isNullable: true),
            "remote_ip_prefix": Column("r.remote_ip_prefix", isNullable: true),
            "remote_address_group_id": Column("r.remote_address_group_id", .identifier, isNullable: true),
            "belongs_to_default_sg": Column("g.is_default", .flag)
        ],
        spelling: [
            "ethertype": { ["ipv4": "IPv4", "ipv6": "IPv6"][$0.lowercased()] ?? $0 }, "protocol": { $0.lowercased() },
            "remote_ip_prefix": { text in
                text.contains("/") ? text : IPPrefix(text).map { "\(text)/\($0.length)" } ?? text
            }
        ])

    /// `fixed_ips=ip_address=A&fixed_ips=subnet_id=S`: values of one key are alternatives, keys add up, and one address
    /// must meet them all.
    @Sendable private static func fixedIPs(_ values: [String]) -> SQLCondition {
        var parts: [String: [String]] = [:]
        for value in values {
            guard let separator = value.firstIndex(of: "=") else { return .never }
            parts[String(value[..<separator]), default: []].append(String(value[value.index(after: separator)...]))
        }
        var conditions = [SQLCondition("a.port_id = p.uuid")]
        for (key, wanted) in parts.sorted(by: { $0.key < $1.key }) {
            switch key {
            case "ip_address":
                conditions.append(.in("a.sort_key", wanted.map { IPAddress($0).map { AddressKey($0).text } ?? $0 }))
            case "subnet_id": conditions.append(.in("a.subnet_id", wanted.map { AnyID($0)?.text ?? $0 }))
            case "ip_address_substr": conditions.append(.any(wanted.map { .contains("a.address", $0) }))
            default: return .never
            }
        }
        return .existing("network_allocations a", .all(conditions))
    }

    @Sendable private static func inGroups(_ values: [String]) -> SQLCondition {
        .existing(
            "network_port_groups m",
            .all([SQLCondition("m.port_id = p.uuid"), .in("m.group_id", values.map { AnyID($0)?.text ?? $0 })]))
    }
}

extension SQLCondition {
    fileprivate static func existing(_ source: String, _ condition: SQLCondition) -> Self {
        Self("EXISTS (SELECT 1 FROM \(source) WHERE \(condition.sql))", condition.arguments)
    }
}

/// What a caller may see.
extension Viewer {
    private func sees(_ reasons: SQLCondition...) -> SQLCondition { isAdmin ? .always : .any(reasons) }

    private func owns(_ alias: String) -> SQLCondition { .project(project, "\(alias).project_id") }

    /// What a policy lets the viewer use.
    private func reaches(_ alias: String, _ action: RBACRecord.Action = .shared) -> SQLCondition {
        let targets: [RBACTarget] = [.everybody] + (project.map { [.project($0)] } ?? [])
        return .existing(
            "network_rbac b",
            .all([
                SQLCondition("b.object_id = \(alias).uuid"), .equal("b.action", action), .in("b.target", targets)
            ]))
    }

    private var openNetworks: SQLCondition {
        .any([sharedNetworks, .all([.equal("n.external", true), reaches("n", .external)])])
    }

    var sharedNetworks: SQLCondition { .any([.equal("n.shared", true), reaches("n")]) }
    var sharedSubnetPools: SQLCondition { .any([.equal("l.shared", true), reaches("l")]) }
    var sharedAddressScopes: SQLCondition { .any([.equal("a.shared", true), reaches("a")]) }
    var sharedGroups: SQLCondition { reaches("g") }
    var sharedQoSPolicies: SQLCondition { reaches("q") }

    var visibleNetworks: SQLCondition { sees(owns("n"), openNetworks) }
    var visibleSubnets: SQLCondition { sees(owns("s"), owns("n"), openNetworks) }
    /// One's own and those in one's own networks.
    var visiblePorts: SQLCondition { sees(owns("p"), owns("n")) }
    var visibleGroups: SQLCondition { sees(owns("g"), sharedGroups) }
    /// Rules one made, and those in one's own groups.
    var visibleRules: SQLCondition { sees(owns("r"), owns("g"), sharedGroups) }
    var visibleSubnetPools: SQLCondition { sees(owns("l"), sharedSubnetPools) }
    var visibleAddressScopes: SQLCondition { sees(owns("a"), sharedAddressScopes) }
    var visibleAddressGroups: SQLCondition { sees(owns("a"), reaches("a")) }
    var visibleQoSPolicies: SQLCondition { sees(owns("q"), sharedQoSPolicies) }
    var visibleRBACPolicies: SQLCondition { sees(owns("b")) }
    var visibleRouters: SQLCondition { sees(owns("r")) }
    var visibleFloatingIPs: SQLCondition { sees(owns("f")) }
}
