import CoordinatorPlatform

/// Tables of servers' devices and of the groups and aggregates that decide where servers may be.
enum DeviceSchema {
    /// - Parameter number: Of the slice's migrations; they are numbered without a gap.
    static func migration(_ number: Int) -> Migration {
        Migration(slice: "compute", number: number, name: "devices", sql: devices)
    }

    static func groups(_ number: Int) -> Migration {
        Migration(slice: "compute", number: number, name: "server groups", sql: groups)
    }

    static func aggregates(_ number: Int) -> Migration {
        Migration(slice: "compute", number: number, name: "aggregates", sql: aggregates)
    }

    private static let aggregates = """
        CREATE TABLE compute_aggregates (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL UNIQUE,
            metadata TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT
        );
        CREATE TABLE compute_aggregate_hosts (
            id INTEGER PRIMARY KEY,
            aggregate_id BIGINT NOT NULL,
            node_id TEXT NOT NULL,
            UNIQUE (aggregate_id, node_id)
        );
        CREATE INDEX compute_aggregate_hosts_by_node ON compute_aggregate_hosts (node_id);
        """

    private static let groups = """
        CREATE TABLE server_groups (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            project_id TEXT NOT NULL,
            user_id TEXT NOT NULL,
            name TEXT NOT NULL,
            policy TEXT NOT NULL,
            most_per_host BIGINT,
            created_at BIGINT NOT NULL
        );
        CREATE INDEX server_groups_by_project ON server_groups (project_id, id);
        CREATE TABLE server_group_members (
            id INTEGER PRIMARY KEY,
            group_uuid TEXT NOT NULL,
            server_uuid TEXT NOT NULL UNIQUE
        );
        CREATE INDEX server_group_members_by_group ON server_group_members (group_uuid, id);
        """

    private static let devices = """
        CREATE TABLE server_devices (
            id INTEGER PRIMARY KEY,
            server_uuid TEXT NOT NULL,
            kind TEXT NOT NULL,
            device_uuid TEXT NOT NULL,
            tag TEXT,
            change TEXT,
            generation BIGINT NOT NULL,
            deadline BIGINT,
            action_id BIGINT,
            UNIQUE (server_uuid, kind, device_uuid)
        );
        CREATE INDEX server_devices_by_deadline ON server_devices (deadline);
        """
}
