import CoordinatorPlatform
import ProtocolModel

/// The attributes of networks, subnets, ports, groups and rules that list calls filter and sort by.
extension ListTable {
    private static func standard(_ alias: String, _ own: [String: Column]) -> [String: Column] {
        let common: [String: Column] = [
            "id": Column("\(alias).uuid"), "project_id": Column("\(alias).project_id"),
            "tenant_id": Column("\(alias).project_id"), "description": Column("\(alias).description"),
            "revision_number": Column("\(alias).revision", .number)
        ]
        return common.merging(own) { $1 }
    }

    private static func special(
        _ alias: String, _ own: [String: @Sendable ([String]) -> SQLCondition] = [:]
    ) -> [String: @Sendable ([String]) -> SQLCondition] {
        tagFilters(alias).merging(own) { $1 }
    }

    static let networks = ListTable(
        source: "network_networks n", alias: "n",
        columns: standard(
            "n",
            [
                "name": Column("n.name"), "admin_state_up": Column("n.admin_state_up", .flag),
                "status": Column("'ACTIVE'"),
                "shared": Column("n.shared", .flag), "router:external": Column("n.external", .flag),
                "is_default": Column("n.is_default", .flag), "mtu": Column("n.mtu", .number),
                "port_security_enabled": Column("n.port_security", .flag),
                "provider:network_type": Column("n.network_type"),
                "provider:physical_network": Column("n.physical_network"),
                "provider:segmentation_id": Column("n.segmentation_id", .number)
            ]), special: special("n"))

    static let subnets = ListTable(
        source: "network_subnets s JOIN network_networks n ON n.uuid = s.network_id", alias: "s",
        columns: standard(
            "s",
            [
                "name": Column("s.name"), "network_id": Column("s.network_id"),
                "ip_version": Column("s.ip_version", .number), "cidr": Column("s.cidr"),
                "gateway_ip": Column("s.gateway_ip"), "enable_dhcp": Column("s.enable_dhcp", .flag),
                "ipv6_address_mode": Column("s.ipv6_address_mode"), "ipv6_ra_mode": Column("s.ipv6_ra_mode"),
                "shared": Column("n.shared", .flag), "router:external": Column("n.external", .flag),
                "subnetpool_id": Column("NULL")
            ]), special: special("s"))

    static let ports = ListTable(
        source: "network_ports p JOIN network_networks n ON n.uuid = p.network_id", alias: "p",
        columns: standard(
            "p",
            [
                "name": Column("p.name"), "network_id": Column("p.network_id"),
                "admin_state_up": Column("p.admin_state_up", .flag), "mac_address": Column("p.mac"),
                "device_id": Column("p.device_id"), "device_owner": Column("p.device_owner"),
                "status": Column("p.status"), "port_security_enabled": Column("p.port_security", .flag),
                "binding:host_id": Column("p.host"), "binding:vnic_type": Column("p.vnic_type")
            ]), special: special("p", ["fixed_ips": fixedIPs, "security_groups": inGroups]))

    static let groups = ListTable(
        source: "network_security_groups g", alias: "g",
        columns: standard("g", ["name": Column("g.name"), "is_default": Column("g.is_default", .flag)]),
        special: special("g", ["shared": { $0.contains { flag($0) == false } ? SQLCondition("1 = 1") : .never }]))

    static let rules = ListTable(
        source: RuleStore.source, alias: "r",
        columns: standard(
            "r",
            [
                "security_group_id": Column("r.group_id"), "direction": Column("r.direction"),
                "ethertype": Column("CASE r.ip_version WHEN 4 THEN 'IPv4' ELSE 'IPv6' END"),
                "protocol": Column("r.protocol"), "port_range_min": Column("r.port_range_min", .number),
                "port_range_max": Column("r.port_range_max", .number), "remote_group_id": Column("r.remote_group_id"),
                "remote_ip_prefix": Column("r.remote_ip_prefix"), "belongs_to_default_sg": Column("g.is_default", .flag)
            ]))

    /// `fixed_ips=ip_address=A&fixed_ips=subnet_id=S`: values of one key are alternatives, keys add up, and one address
    /// must meet them all.
    @Sendable private static func fixedIPs(_ values: [String]) -> SQLCondition {
        var parts: [String: [String]] = [:]
        for value in values {
            guard let separator = value.firstIndex(of: "=") else { return .never }
            parts[String(value[..<separator]), default: []].append(String(value[value.index(after: separator)...]))
        }
        var conditions: [String] = []
        var arguments: [any SQLArgument] = []
        for (key, wanted) in parts.sorted(by: { $0.key < $1.key }) {
            switch key {
            case "ip_address":
                let list = InList(wanted.map { IPAddress($0).map { AddressKey.text($0) } ?? $0 })
                conditions.append("a.sort_key IN \(list.placeholders)")
                arguments += list.arguments
            case "subnet_id":
                let list = InList(wanted)
                conditions.append("a.subnet_id IN \(list.placeholders)")
                arguments += list.arguments
            case "ip_address_substr":
                conditions.append(
                    "(" + wanted.map { _ in "a.address LIKE ? ESCAPE '\\'" }.joined(separator: " OR ") + ")")
                arguments += wanted.map { "%\(escaped($0))%" }
            default: return .never
            }
        }
        return SQLCondition(
            "EXISTS (SELECT 1 FROM network_allocations a WHERE a.port_id = p.uuid AND "
                + conditions.joined(separator: " AND ") + ")", arguments)
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_")
    }

    @Sendable private static func inGroups(_ values: [String]) -> SQLCondition {
        let list = InList(values)
        return SQLCondition(
            "EXISTS (SELECT 1 FROM network_port_groups m WHERE m.port_id = p.uuid AND m.group_id IN \(list.placeholders))",
            list.arguments)
    }

    /// `tags` (all of them), `tags-any`, `not-tags` and `not-tags-any`, comma-separated.
    private static func tagFilters(_ alias: String) -> [String: @Sendable ([String]) -> SQLCondition] {
        @Sendable func count(_ values: [String]) -> (sql: String, arguments: [any SQLArgument], wanted: Int) {
            let tags = Set(values.flatMap { $0.split(separator: ",").map(String.init) })
            let list = InList(tags.sorted())
            return (
                "(SELECT COUNT(*) FROM network_tags t WHERE t.resource_id = \(alias).uuid AND t.tag IN \(list.placeholders))",
                list.arguments, tags.count
            )
        }
        return [
            "tags": {
                let all = count($0); return SQLCondition("\(all.sql) = \(all.wanted)", all.arguments)
            },
            "tags-any": {
                let any = count($0); return SQLCondition("\(any.sql) > 0", any.arguments)
            },
            "not-tags": {
                let all = count($0); return SQLCondition("\(all.sql) < \(all.wanted)", all.arguments)
            },
            "not-tags-any": {
                let any = count($0); return SQLCondition("\(any.sql) = 0", any.arguments)
            }
        ]
    }

    // MARK: What a caller may see

    static func visibleNetworks(to viewer: Viewer) -> SQLCondition? {
        guard !viewer.isAdmin else { return nil }
        return SQLCondition("n.project_id = ? OR n.shared = 1 OR n.external = 1", [viewer.project?.compact])
    }

    static func visibleSubnets(to viewer: Viewer) -> SQLCondition? {
        guard !viewer.isAdmin else { return nil }
        return SQLCondition(
            "s.project_id = ? OR n.project_id = ? OR n.shared = 1 OR n.external = 1",
            [viewer.project?.compact, viewer.project?.compact])
    }

    /// One's own and those in one's own networks.
    static func visiblePorts(to viewer: Viewer) -> SQLCondition? {
        guard !viewer.isAdmin else { return nil }
        return SQLCondition("p.project_id = ? OR n.project_id = ?", [viewer.project?.compact, viewer.project?.compact])
    }

    static func owned(_ alias: String, by viewer: Viewer) -> SQLCondition? {
        guard !viewer.isAdmin else { return nil }
        return SQLCondition("\(alias).project_id = ?", [viewer.project?.compact])
    }

    /// Rules one made, and those in one's own groups.
    static func visibleRules(to viewer: Viewer) -> SQLCondition? {
        guard !viewer.isAdmin else { return nil }
        return SQLCondition("r.project_id = ? OR g.project_id = ?", [viewer.project?.compact, viewer.project?.compact])
    }
}
