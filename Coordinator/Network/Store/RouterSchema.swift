extension NetworkSchema {
    static let routers = """
        CREATE TABLE network_routers (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            project_id TEXT NOT NULL,
            name TEXT NOT NULL,
            description TEXT NOT NULL,
            admin_state_up INTEGER NOT NULL,
            gateway_port_id TEXT,
            gateway_network_id TEXT,
            enable_snat INTEGER NOT NULL,
            routes TEXT NOT NULL,
            zone_hints TEXT NOT NULL,
            revision BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL
        );
        CREATE INDEX network_routers_by_project ON network_routers (project_id);
        CREATE INDEX network_routers_by_gateway ON network_routers (gateway_network_id);
        CREATE TABLE network_router_ports (
            id INTEGER PRIMARY KEY,
            port_id TEXT NOT NULL UNIQUE REFERENCES network_ports (uuid) ON DELETE CASCADE,
            router_id TEXT NOT NULL REFERENCES network_routers (uuid),
            kind TEXT NOT NULL
        );
        CREATE INDEX network_router_ports_by_router ON network_router_ports (router_id);
        CREATE TABLE network_router_places (
            id INTEGER PRIMARY KEY,
            router_id TEXT NOT NULL UNIQUE REFERENCES network_routers (uuid) ON DELETE CASCADE,
            node_id TEXT NOT NULL,
            planned BIGINT NOT NULL,
            is_ready INTEGER NOT NULL,
            last_error TEXT,
            generation BIGINT NOT NULL
        );
        CREATE INDEX network_router_places_by_node ON network_router_places (node_id);
        CREATE TABLE network_floating_ips (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            project_id TEXT NOT NULL,
            description TEXT NOT NULL,
            network_id TEXT NOT NULL,
            keeper_id TEXT NOT NULL UNIQUE REFERENCES network_ports (uuid),
            address TEXT NOT NULL,
            port_id TEXT REFERENCES network_ports (uuid),
            fixed_address TEXT,
            router_id TEXT,
            status TEXT NOT NULL,
            revision BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL
        );
        CREATE INDEX network_floating_ips_by_project ON network_floating_ips (project_id);
        CREATE INDEX network_floating_ips_by_router ON network_floating_ips (router_id);
        CREATE UNIQUE INDEX network_floating_ips_by_port ON network_floating_ips (port_id, fixed_address, network_id)
            WHERE port_id IS NOT NULL;
        CREATE INDEX network_floating_ips_by_network ON network_floating_ips (network_id);
        CREATE TABLE network_port_forwardings (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            floating_ip_id TEXT NOT NULL REFERENCES network_floating_ips (uuid) ON DELETE CASCADE,
            description TEXT NOT NULL,
            protocol TEXT NOT NULL,
            external_port BIGINT NOT NULL,
            port_id TEXT NOT NULL REFERENCES network_ports (uuid),
            internal_address TEXT NOT NULL,
            internal_port BIGINT NOT NULL,
            UNIQUE (floating_ip_id, protocol, external_port),
            UNIQUE (port_id, internal_address, internal_port, protocol)
        );
        CREATE TABLE network_tunnels (
            id INTEGER PRIMARY KEY,
            node_id TEXT NOT NULL UNIQUE,
            address TEXT NOT NULL
        );
        CREATE UNIQUE INDEX network_networks_vxlan ON network_networks (segmentation_id)
            WHERE network_type = 'vxlan';
        """
}
