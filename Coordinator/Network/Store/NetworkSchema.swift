import CoordinatorPlatform

enum NetworkSchema {
    static let migrations = [
        Migration(slice: "network", number: 1, name: "networks, subnets", sql: networks),
        Migration(slice: "network", number: 2, name: "ports, security groups", sql: ports),
        Migration(slice: "network", number: 3, name: "quotas, tags", sql: quotas),
        Migration(slice: "network", number: 4, name: "quotas among those of all services", sql: sharedQuotas),
        Migration(slice: "network", number: 5, name: "routers, floating IPs, overlay networks", sql: routers),
        Migration(
            slice: "network", number: 6, name: "versions of groups' members",
            sql: "ALTER TABLE network_security_groups ADD COLUMN members_version BIGINT NOT NULL DEFAULT 0"),
        Migration(slice: "network", number: 7, name: "whose interface a port is", sql: servers),
        Migration(slice: "network", number: 8, name: "subnet pools, address scopes", sql: subnetPools),
        Migration(slice: "network", number: 9, name: "address groups", sql: addressGroups),
        Migration(slice: "network", number: 10, name: "what is shared with whom", sql: rbac),
        Migration(slice: "network", number: 11, name: "quality of service", sql: qos),
        Migration(
            slice: "network", number: 12, name: "DHCP options of ports",
            sql: "ALTER TABLE network_ports ADD COLUMN dhcp_options TEXT NOT NULL DEFAULT ''")
    ]

    /// `sort_key` and the pools' bounds are addresses as 8 or 32 hexadecimal digits, which sort as the addresses do.
    private static let networks = """
        CREATE TABLE network_networks (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            project_id TEXT NOT NULL,
            name TEXT NOT NULL,
            description TEXT NOT NULL,
            admin_state_up INTEGER NOT NULL,
            shared INTEGER NOT NULL,
            external INTEGER NOT NULL,
            is_default INTEGER NOT NULL,
            port_security INTEGER NOT NULL,
            mtu BIGINT NOT NULL,
            network_type TEXT NOT NULL,
            physical_network TEXT,
            segmentation_id BIGINT,
            revision BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL
        );
        CREATE INDEX network_networks_by_project ON network_networks (project_id);
        CREATE UNIQUE INDEX network_networks_flat ON network_networks (physical_network) WHERE network_type = 'flat';
        CREATE UNIQUE INDEX network_networks_vlan ON network_networks (physical_network, segmentation_id)
            WHERE network_type = 'vlan';
        CREATE TABLE network_subnets (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            network_id TEXT NOT NULL REFERENCES network_networks (uuid),
            project_id TEXT NOT NULL,
            name TEXT NOT NULL,
            description TEXT NOT NULL,
            ip_version INTEGER NOT NULL,
            cidr TEXT NOT NULL,
            gateway_ip TEXT,
            enable_dhcp INTEGER NOT NULL,
            ipv6_address_mode TEXT,
            ipv6_ra_mode TEXT,
            dns_nameservers TEXT NOT NULL,
            host_routes TEXT NOT NULL,
            revision BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL
        );
        CREATE INDEX network_subnets_by_network ON network_subnets (network_id);
        CREATE INDEX network_subnets_by_project ON network_subnets (project_id);
        CREATE TABLE network_pools (
            id INTEGER PRIMARY KEY,
            subnet_id TEXT NOT NULL REFERENCES network_subnets (uuid) ON DELETE CASCADE,
            first_key TEXT NOT NULL,
            last_key TEXT NOT NULL,
            next_key TEXT NOT NULL
        );
        CREATE INDEX network_pools_by_subnet ON network_pools (subnet_id);
        """

    private static let ports = """
        CREATE TABLE network_ports (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            network_id TEXT NOT NULL REFERENCES network_networks (uuid),
            project_id TEXT NOT NULL,
            name TEXT NOT NULL,
            description TEXT NOT NULL,
            mac TEXT NOT NULL,
            admin_state_up INTEGER NOT NULL,
            status TEXT NOT NULL,
            device_id TEXT NOT NULL,
            device_owner TEXT NOT NULL,
            port_security INTEGER NOT NULL,
            pairs TEXT NOT NULL,
            vnic_type TEXT NOT NULL,
            host TEXT NOT NULL,
            node_id TEXT,
            position BIGINT NOT NULL,
            servers_own INTEGER NOT NULL,
            hostname TEXT NOT NULL,
            last_error TEXT,
            revision BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            UNIQUE (network_id, mac)
        );
        CREATE INDEX network_ports_by_project ON network_ports (project_id, device_owner);
        CREATE INDEX network_ports_by_device ON network_ports (device_id);
        CREATE INDEX network_ports_by_node ON network_ports (node_id, network_id);
        CREATE INDEX network_ports_by_owner ON network_ports (network_id, device_owner);
        CREATE TABLE network_allocations (
            id INTEGER PRIMARY KEY,
            network_id TEXT NOT NULL,
            subnet_id TEXT NOT NULL REFERENCES network_subnets (uuid),
            port_id TEXT NOT NULL REFERENCES network_ports (uuid) ON DELETE CASCADE,
            address TEXT NOT NULL,
            sort_key TEXT NOT NULL,
            UNIQUE (network_id, sort_key)
        );
        CREATE INDEX network_allocations_by_subnet ON network_allocations (subnet_id, sort_key);
        CREATE INDEX network_allocations_by_port ON network_allocations (port_id);
        CREATE TABLE network_security_groups (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            project_id TEXT NOT NULL,
            name TEXT NOT NULL,
            description TEXT NOT NULL,
            is_default INTEGER NOT NULL,
            revision BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL
        );
        CREATE INDEX network_security_groups_by_project ON network_security_groups (project_id, name);
        CREATE UNIQUE INDEX network_security_groups_default ON network_security_groups (project_id)
            WHERE is_default = 1;
        CREATE TABLE network_security_group_rules (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            group_id TEXT NOT NULL REFERENCES network_security_groups (uuid) ON DELETE CASCADE,
            project_id TEXT NOT NULL,
            description TEXT NOT NULL,
            direction TEXT NOT NULL,
            ip_version INTEGER NOT NULL,
            protocol TEXT,
            port_range_min BIGINT,
            port_range_max BIGINT,
            remote_group_id TEXT REFERENCES network_security_groups (uuid) ON DELETE CASCADE,
            remote_ip_prefix TEXT,
            duplicate_key TEXT NOT NULL,
            revision BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            UNIQUE (group_id, duplicate_key)
        );
        CREATE INDEX network_security_group_rules_by_remote
            ON network_security_group_rules (remote_group_id, group_id);
        CREATE INDEX network_security_group_rules_by_project ON network_security_group_rules (project_id);
        CREATE TABLE network_port_groups (
            port_id TEXT NOT NULL REFERENCES network_ports (uuid) ON DELETE CASCADE,
            group_id TEXT NOT NULL REFERENCES network_security_groups (uuid),
            node_id TEXT,
            PRIMARY KEY (port_id, group_id)
        );
        CREATE INDEX network_port_groups_by_group ON network_port_groups (group_id, node_id);
        CREATE INDEX network_port_groups_by_node ON network_port_groups (node_id);
        """

    private static let quotas = """
        CREATE TABLE network_quotas (
            project_id TEXT NOT NULL,
            resource TEXT NOT NULL,
            quota BIGINT NOT NULL,
            PRIMARY KEY (project_id, resource)
        );
        CREATE TABLE network_tags (
            resource_id TEXT NOT NULL,
            tag TEXT NOT NULL,
            PRIMARY KEY (resource_id, tag)
        );
        """

    private static let sharedQuotas = """
        INSERT INTO quota_limits (service, project_id, resource, quota)
            SELECT 'network', project_id, resource, quota FROM network_quotas;
        DROP TABLE network_quotas;
        """

    /// Until then `device_id` said it, which anybody can write: what compute had made or bound is taken over.
    private static let servers = """
        ALTER TABLE network_ports ADD COLUMN server_id TEXT;
        ALTER TABLE network_ports ADD COLUMN service INTEGER NOT NULL DEFAULT 0;
        UPDATE network_ports SET server_id = device_id
            WHERE device_id <> '' AND (servers_own = 1 OR node_id IS NOT NULL);
        UPDATE network_ports SET service = 1
            WHERE device_owner = 'network:dhcp' AND device_id = 'dhcp-' || network_id;
        CREATE INDEX network_ports_by_server ON network_ports (server_id);
        CREATE INDEX network_ports_by_service ON network_ports (network_id, service);
        """
}
