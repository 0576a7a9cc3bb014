import CoordinatorPlatform

/// The tables behind ``ResourceState``. Numbered on their own, so that they and the tables of people and tokens can
/// grow without waiting for each other.
enum ResourceMigrations {
    static let all = [
        Migration(slice: slice, number: 1, name: "catalog filters and policies", sql: catalog),
        Migration(slice: slice, number: 2, name: "limits and domain configurations", sql: limits),
        // Rows from before are sealed at the next start, since SQL has no keys.
        Migration(
            slice: slice, number: 3, name: "sealed options of domains",
            sql: "ALTER TABLE identity_domain_options ADD COLUMN sealed BLOB;")
    ]

    private static let slice = "identity resources"

    private static let catalog = """
        CREATE TABLE identity_endpoint_groups (
            id INTEGER PRIMARY KEY, record_key TEXT NOT NULL UNIQUE, generation BIGINT NOT NULL, extra TEXT NOT NULL,
            name TEXT NOT NULL, description TEXT, filters TEXT NOT NULL
        );
        CREATE TABLE identity_project_endpoints (
            id INTEGER PRIMARY KEY,
            project_key TEXT NOT NULL REFERENCES identity_projects (record_key) ON DELETE CASCADE,
            endpoint_key TEXT NOT NULL REFERENCES identity_endpoints (record_key) ON DELETE CASCADE,
            UNIQUE (project_key, endpoint_key)
        );
        CREATE INDEX identity_project_endpoints_by_endpoint ON identity_project_endpoints (endpoint_key);
        CREATE TABLE identity_project_endpoint_groups (
            id INTEGER PRIMARY KEY,
            project_key TEXT NOT NULL REFERENCES identity_projects (record_key) ON DELETE CASCADE,
            group_key TEXT NOT NULL REFERENCES identity_endpoint_groups (record_key) ON DELETE CASCADE,
            UNIQUE (project_key, group_key)
        );
        CREATE INDEX identity_project_endpoint_groups_by_group ON identity_project_endpoint_groups (group_key);
        CREATE TABLE identity_policies (
            id INTEGER PRIMARY KEY, record_key TEXT NOT NULL UNIQUE, generation BIGINT NOT NULL, extra TEXT NOT NULL,
            blob_json TEXT NOT NULL, type TEXT NOT NULL
        );
        CREATE TABLE identity_policy_associations (
            id INTEGER PRIMARY KEY,
            policy_key TEXT NOT NULL REFERENCES identity_policies (record_key) ON DELETE CASCADE,
            endpoint_key TEXT REFERENCES identity_endpoints (record_key) ON DELETE CASCADE,
            service_key TEXT REFERENCES identity_services (record_key) ON DELETE CASCADE,
            region_key TEXT REFERENCES identity_regions (record_key) ON DELETE CASCADE,
            fingerprint TEXT NOT NULL UNIQUE
        );
        CREATE INDEX identity_policy_associations_by_policy ON identity_policy_associations (policy_key);
        """

    /// A registered limit without a region has the empty one in `unique_region`, since `NULL`s do not exclude each
    /// other.
    private static let limits = """
        CREATE TABLE identity_registered_limits (
            id INTEGER PRIMARY KEY, record_key TEXT NOT NULL UNIQUE, generation BIGINT NOT NULL, extra TEXT NOT NULL,
            service_key TEXT NOT NULL REFERENCES identity_services (record_key) ON DELETE CASCADE,
            region_key TEXT REFERENCES identity_regions (record_key) ON DELETE CASCADE,
            unique_region TEXT NOT NULL,
            resource TEXT NOT NULL, default_limit BIGINT NOT NULL, description TEXT,
            UNIQUE (service_key, unique_region, resource)
        );
        CREATE TABLE identity_limits (
            id INTEGER PRIMARY KEY, record_key TEXT NOT NULL UNIQUE, generation BIGINT NOT NULL, extra TEXT NOT NULL,
            registered_key TEXT NOT NULL REFERENCES identity_registered_limits (record_key) ON DELETE CASCADE,
            project_key TEXT REFERENCES identity_projects (record_key) ON DELETE CASCADE,
            domain_key TEXT REFERENCES identity_domains (record_key) ON DELETE CASCADE,
            owner TEXT NOT NULL, resource_limit BIGINT NOT NULL, description TEXT,
            UNIQUE (registered_key, owner)
        );
        CREATE INDEX identity_limits_by_project ON identity_limits (project_key);
        CREATE TABLE identity_domain_options (
            id INTEGER PRIMARY KEY,
            domain_key TEXT NOT NULL REFERENCES identity_domains (record_key) ON DELETE CASCADE,
            option_group TEXT NOT NULL, option_name TEXT NOT NULL, value TEXT NOT NULL,
            UNIQUE (domain_key, option_group, option_name)
        );
        """
}
