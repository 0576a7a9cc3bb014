import CoordinatorPlatform

enum PlacementSchema {
    static let migrations = [
        Migration(
            slice: "placement", number: 1, name: "providers, inventories, allocations",
            sql: """
                CREATE TABLE placement_providers (
                    id INTEGER PRIMARY KEY,
                    uuid TEXT NOT NULL UNIQUE,
                    name TEXT NOT NULL UNIQUE,
                    generation BIGINT NOT NULL,
                    consumers BIGINT NOT NULL,
                    updated_at BIGINT NOT NULL
                );
                CREATE TABLE placement_inventories (
                    provider_id BIGINT NOT NULL REFERENCES placement_providers (id) ON DELETE CASCADE,
                    resource_class TEXT NOT NULL,
                    total BIGINT NOT NULL,
                    reserved BIGINT NOT NULL,
                    min_unit BIGINT NOT NULL,
                    max_unit BIGINT NOT NULL,
                    step_size BIGINT NOT NULL,
                    allocation_ratio DOUBLE PRECISION NOT NULL,
                    used BIGINT NOT NULL,
                    PRIMARY KEY (provider_id, resource_class)
                );
                CREATE TABLE placement_consumers (
                    id INTEGER PRIMARY KEY,
                    uuid TEXT NOT NULL UNIQUE,
                    project_id TEXT NOT NULL,
                    user_id TEXT NOT NULL,
                    generation BIGINT NOT NULL,
                    updated_at BIGINT NOT NULL
                );
                CREATE INDEX placement_consumers_by_project ON placement_consumers (project_id);
                CREATE TABLE placement_allocations (
                    id INTEGER PRIMARY KEY,
                    consumer_id BIGINT NOT NULL REFERENCES placement_consumers (id) ON DELETE CASCADE,
                    provider_id BIGINT NOT NULL REFERENCES placement_providers (id),
                    resource_class TEXT NOT NULL,
                    used BIGINT NOT NULL,
                    UNIQUE (consumer_id, provider_id, resource_class)
                );
                CREATE INDEX placement_allocations_by_provider ON placement_allocations (provider_id);
                CREATE TABLE placement_traits (
                    provider_id BIGINT NOT NULL REFERENCES placement_providers (id) ON DELETE CASCADE,
                    name TEXT NOT NULL,
                    PRIMARY KEY (provider_id, name)
                );
                CREATE TABLE placement_aggregates (
                    provider_id BIGINT NOT NULL REFERENCES placement_providers (id) ON DELETE CASCADE,
                    uuid TEXT NOT NULL,
                    PRIMARY KEY (provider_id, uuid)
                );
                CREATE TABLE placement_custom_names (
                    id INTEGER PRIMARY KEY,
                    kind TEXT NOT NULL,
                    name TEXT NOT NULL,
                    UNIQUE (kind, name)
                );
                """),
        Migration(
            slice: "placement", number: 2, name: "types of consumers",
            sql: "ALTER TABLE placement_consumers ADD COLUMN consumer_type TEXT NOT NULL DEFAULT ''"),
        Migration(
            slice: "placement", number: 3, name: "trees of providers",
            sql: """
                ALTER TABLE placement_providers ADD COLUMN parent_uuid TEXT;
                ALTER TABLE placement_providers ADD COLUMN root_uuid TEXT NOT NULL DEFAULT '';
                UPDATE placement_providers SET root_uuid = uuid;
                CREATE INDEX placement_providers_by_root ON placement_providers (root_uuid);
                CREATE INDEX placement_providers_by_parent ON placement_providers (parent_uuid);
                """),
        Migration(
            slice: "placement", number: 4, name: "groups of consumers",
            sql: """
                CREATE TABLE placement_groups (
                    id INTEGER PRIMARY KEY,
                    uuid TEXT NOT NULL UNIQUE,
                    generation BIGINT NOT NULL
                );
                CREATE TABLE placement_group_members (
                    id INTEGER PRIMARY KEY,
                    group_uuid TEXT NOT NULL,
                    consumer_uuid TEXT NOT NULL UNIQUE,
                    provider_uuid TEXT NOT NULL
                );
                CREATE INDEX placement_group_members_by_group ON placement_group_members (group_uuid);
                """),
        Migration(
            slice: "placement", number: 5, name: "rules of hosts",
            sql: """
                CREATE TABLE placement_host_rules (
                    id INTEGER PRIMARY KEY,
                    provider_uuid TEXT NOT NULL UNIQUE,
                    zone TEXT,
                    ratios TEXT NOT NULL,
                    replaced TEXT NOT NULL,
                    aggregates TEXT NOT NULL
                );
                """)
    ]
}
