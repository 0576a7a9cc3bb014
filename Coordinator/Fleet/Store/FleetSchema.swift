import CoordinatorPlatform

enum FleetSchema {
    static let migrations = [
        Migration(
            slice: "fleet", number: 1, name: "nodes, plans, operations, join tokens",
            sql: """
                CREATE TABLE nodes (
                    id INTEGER PRIMARY KEY,
                    uuid TEXT NOT NULL UNIQUE,
                    hostname TEXT NOT NULL,
                    health TEXT NOT NULL,
                    enabled INTEGER NOT NULL,
                    disabled_reason TEXT,
                    report BLOB,
                    last_seen BIGINT NOT NULL,
                    created_at BIGINT NOT NULL,
                    removed_at BIGINT,
                    plan_epoch BIGINT NOT NULL,
                    plan_revision BIGINT NOT NULL,
                    acknowledged_revision BIGINT NOT NULL
                );
                CREATE UNIQUE INDEX nodes_by_hostname ON nodes (hostname) WHERE removed_at IS NULL;
                CREATE TABLE plan_entries (
                    id INTEGER PRIMARY KEY,
                    node TEXT NOT NULL,
                    kind INTEGER NOT NULL,
                    resource TEXT NOT NULL,
                    generation BIGINT NOT NULL,
                    wanted INTEGER NOT NULL,
                    UNIQUE (node, kind, resource)
                );
                CREATE INDEX plan_entries_by_generation ON plan_entries (node, generation);
                CREATE INDEX plan_entries_by_resource ON plan_entries (kind, resource);
                CREATE TABLE operations (
                    id INTEGER PRIMARY KEY,
                    uuid TEXT NOT NULL UNIQUE,
                    node TEXT NOT NULL,
                    action BLOB NOT NULL,
                    deadline BIGINT NOT NULL
                );
                CREATE INDEX operations_by_node ON operations (node, id);
                CREATE INDEX operations_by_deadline ON operations (deadline);
                CREATE TABLE join_tokens (
                    id INTEGER PRIMARY KEY,
                    secret_hash TEXT NOT NULL UNIQUE,
                    uses_left INTEGER NOT NULL,
                    expires_at BIGINT NOT NULL,
                    created_at BIGINT NOT NULL
                );
                """),
        Migration(
            slice: "fleet", number: 2, name: "what agents know and are not sent",
            sql: """
                CREATE TABLE node_kinds (
                    id INTEGER PRIMARY KEY,
                    node TEXT NOT NULL,
                    kind INTEGER NOT NULL,
                    name TEXT NOT NULL,
                    is_current INTEGER NOT NULL,
                    UNIQUE (node, kind)
                );
                CREATE TABLE plan_set_aside (
                    id INTEGER PRIMARY KEY,
                    node TEXT NOT NULL,
                    kind INTEGER NOT NULL,
                    resource TEXT NOT NULL,
                    generation BIGINT NOT NULL,
                    for_kind INTEGER NOT NULL,
                    UNIQUE (node, kind, resource)
                );
                CREATE TABLE refused_statuses (
                    id INTEGER PRIMARY KEY,
                    node TEXT NOT NULL,
                    kind INTEGER NOT NULL,
                    resource TEXT NOT NULL,
                    generation BIGINT NOT NULL,
                    phase INTEGER NOT NULL,
                    reason TEXT NOT NULL,
                    refused_at BIGINT NOT NULL,
                    UNIQUE (node, kind, resource)
                );
                """),
        Migration(
            slice: "fleet", number: 3, name: "changes that many nodes are to be told",
            sql: """
                CREATE TABLE plan_touches (
                    id INTEGER PRIMARY KEY,
                    kind INTEGER NOT NULL,
                    resource TEXT NOT NULL,
                    done BIGINT NOT NULL,
                    again INTEGER NOT NULL,
                    UNIQUE (kind, resource)
                );
                """)
    ]
}
