import CoordinatorPlatform

/// The compute slice's tables.
public enum ComputeSchema {
    public static let migrations = [
        Migration(slice: "compute", number: 1, name: "servers", sql: servers),
        Migration(slice: "compute", number: 2, name: "actions", sql: actions),
        Migration(slice: "compute", number: 3, name: "catalog", sql: catalog),
        Migration(slice: "compute", number: 4, name: "actions and limits in the tables of all services", sql: shared),
        // Grouped, where the column of verdicts has a line for each host.
        Migration(
            slice: "compute", number: 5, name: "decisions by reason",
            sql: "ALTER TABLE server_decisions ADD COLUMN reasons TEXT"),
        DeviceSchema.migration(6), DeviceSchema.groups(7), DeviceSchema.aggregates(8), LifecycleSchema.migration(9),
        Migration(
            slice: "compute", number: 10, name: "servers that start from volumes",
            sql: "ALTER TABLE servers ADD COLUMN is_volume_backed INTEGER NOT NULL DEFAULT 0")
    ]

    /// Actions keep their numbers, which servers' rows name.
    private static let shared = """
        INSERT INTO hosted_actions
            (id, kind, resource_id, action, request_id, user_id, project_id, started_at, updated_at, message)
        SELECT id, 4, server_uuid, action, request_id, user_id, project_id, started_at, updated_at, message
        FROM server_actions ORDER BY id;
        INSERT INTO hosted_events
            (action_id, name, host, started_at, finished_at, result, details, traceback)
        SELECT action_id, name, host, started_at, finished_at, result, details, traceback
        FROM server_events ORDER BY id;
        DROP TABLE server_events;
        DROP TABLE server_actions;
        INSERT INTO quota_limits (service, project_id, resource, quota)
        SELECT 'compute', project_id, resource, hard_limit FROM compute_quotas ORDER BY id;
        DROP TABLE compute_quotas;
        """

    private static let servers = """
        CREATE TABLE servers (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            generation BIGINT NOT NULL,
            project_id TEXT NOT NULL,
            user_id TEXT NOT NULL,
            name TEXT NOT NULL,
            description TEXT,
            hostname TEXT NOT NULL,
            vm_state TEXT NOT NULL,
            task_state TEXT,
            power_state INTEGER NOT NULL,
            has_launched INTEGER NOT NULL,
            task_deadline BIGINT,
            node_id TEXT,
            host TEXT,
            zone TEXT,
            plan_generation BIGINT NOT NULL,
            power TEXT NOT NULL,
            pinned_zone TEXT,
            pinned_host TEXT,
            flavor_id TEXT NOT NULL,
            flavor_name TEXT NOT NULL,
            vcpus INTEGER NOT NULL,
            memory_mib INTEGER NOT NULL,
            root_gib INTEGER NOT NULL,
            ephemeral_gib INTEGER NOT NULL,
            swap_mib INTEGER NOT NULL,
            extra_specs TEXT NOT NULL,
            image_id TEXT NOT NULL,
            image_name TEXT NOT NULL,
            image_sha512 TEXT NOT NULL,
            image_size BIGINT NOT NULL,
            image_virtual_size BIGINT NOT NULL,
            image_format TEXT NOT NULL,
            image_properties TEXT NOT NULL,
            key_name TEXT,
            public_key TEXT,
            user_data TEXT,
            has_config_drive INTEGER NOT NULL,
            metadata TEXT NOT NULL,
            admin_password TEXT NOT NULL,
            access_ipv4 TEXT NOT NULL,
            access_ipv6 TEXT NOT NULL,
            disk_config TEXT NOT NULL,
            launch_index INTEGER NOT NULL,
            reservation_id TEXT NOT NULL,
            locked_by TEXT,
            locked_reason TEXT,
            scheduler_hints TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            launched_at BIGINT,
            terminated_at BIGINT,
            deleted_at BIGINT,
            fault_code INTEGER,
            fault_message TEXT,
            fault_details TEXT,
            fault_at BIGINT,
            attempts INTEGER NOT NULL,
            excluded TEXT NOT NULL,
            action_id BIGINT,
            operation_id TEXT
        );
        CREATE INDEX servers_by_project ON servers (project_id, deleted_at, created_at);
        CREATE INDEX servers_by_creation ON servers (deleted_at, created_at, id);
        CREATE INDEX servers_by_node ON servers (node_id);
        CREATE INDEX servers_by_deadline ON servers (task_deadline);
        CREATE TABLE server_tags (
            id INTEGER PRIMARY KEY,
            server_uuid TEXT NOT NULL,
            tag TEXT NOT NULL,
            UNIQUE (server_uuid, tag)
        );
        """

    private static let actions = """
        CREATE TABLE server_actions (
            id INTEGER PRIMARY KEY,
            server_uuid TEXT NOT NULL,
            action TEXT NOT NULL,
            request_id TEXT NOT NULL,
            user_id TEXT NOT NULL,
            project_id TEXT NOT NULL,
            started_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            message TEXT
        );
        CREATE INDEX server_actions_by_server ON server_actions (server_uuid, id);
        CREATE TABLE server_events (
            id INTEGER PRIMARY KEY,
            action_id BIGINT NOT NULL,
            server_uuid TEXT NOT NULL,
            name TEXT NOT NULL,
            host TEXT NOT NULL,
            started_at BIGINT NOT NULL,
            finished_at BIGINT,
            result TEXT,
            details TEXT,
            traceback TEXT
        );
        CREATE INDEX server_events_by_action ON server_events (action_id, id);
        CREATE INDEX server_events_by_server ON server_events (server_uuid);
        CREATE TABLE server_decisions (
            id INTEGER PRIMARY KEY,
            server_uuid TEXT NOT NULL,
            action_id BIGINT NOT NULL,
            decided_at BIGINT NOT NULL,
            host TEXT,
            summary TEXT NOT NULL,
            verdicts TEXT NOT NULL
        );
        CREATE INDEX server_decisions_by_server ON server_decisions (server_uuid, id);
        """

    private static let catalog = """
        CREATE TABLE flavors (
            id INTEGER PRIMARY KEY,
            flavor_id TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL UNIQUE,
            description TEXT,
            vcpus INTEGER NOT NULL,
            memory_mib INTEGER NOT NULL,
            root_gib INTEGER NOT NULL,
            ephemeral_gib INTEGER NOT NULL,
            swap_mib INTEGER NOT NULL,
            rxtx_factor REAL NOT NULL,
            is_public INTEGER NOT NULL,
            extra_specs TEXT NOT NULL,
            created_at BIGINT NOT NULL
        );
        CREATE TABLE flavor_access (
            id INTEGER PRIMARY KEY,
            flavor_id TEXT NOT NULL,
            project_id TEXT NOT NULL,
            UNIQUE (flavor_id, project_id)
        );
        CREATE TABLE keypairs (
            id INTEGER PRIMARY KEY,
            user_id TEXT NOT NULL,
            name TEXT NOT NULL,
            type TEXT NOT NULL,
            fingerprint TEXT NOT NULL,
            public_key TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            UNIQUE (user_id, name)
        );
        CREATE TABLE compute_quotas (
            id INTEGER PRIMARY KEY,
            project_id TEXT NOT NULL,
            resource TEXT NOT NULL,
            hard_limit BIGINT NOT NULL,
            UNIQUE (project_id, resource)
        );
        """
}
