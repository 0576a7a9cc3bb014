extension NetworkSchema {
    static let subnetPools = """
        CREATE TABLE network_address_scopes (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            project_id TEXT NOT NULL,
            name TEXT NOT NULL,
            description TEXT NOT NULL,
            ip_version INTEGER NOT NULL,
            shared INTEGER NOT NULL,
            revision BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL
        );
        CREATE INDEX network_address_scopes_by_project ON network_address_scopes (project_id);
        CREATE TABLE network_subnet_pools (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            project_id TEXT NOT NULL,
            name TEXT NOT NULL,
            description TEXT NOT NULL,
            ip_version INTEGER NOT NULL,
            prefixes TEXT NOT NULL,
            min_prefixlen BIGINT NOT NULL,
            max_prefixlen BIGINT NOT NULL,
            default_prefixlen BIGINT NOT NULL,
            default_quota BIGINT,
            is_default INTEGER NOT NULL,
            shared INTEGER NOT NULL,
            address_scope_id TEXT REFERENCES network_address_scopes (uuid),
            allocations BIGINT NOT NULL DEFAULT 0,
            revision BIGINT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL
        );
        CREATE INDEX network_subnet_pools_by_project ON network_subnet_pools (project_id);
        CREATE INDEX network_subnet_pools_by_scope ON network_subnet_pools (address_scope_id);
        CREATE UNIQUE INDEX network_subnet_pools_default ON network_subnet_pools (ip_version) WHERE is_default = 1;
        ALTER TABLE network_subnets ADD COLUMN subnetpool_id TEXT;
        CREATE INDEX network_subnets_by_pool ON network_subnets (subnetpool_id);
        """
}
