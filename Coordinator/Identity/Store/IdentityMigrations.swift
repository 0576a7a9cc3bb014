import CoordinatorPlatform

/// The identity service's tables.
public enum IdentityMigrations {
    public static let all = first + AuthenticationMigrations.all + ResourceMigrations.all

    private static let first = [
        Migration(
            slice: "identity", number: 1, name: "people and projects",
            sql: """
                CREATE TABLE identity_domains (
                    id INTEGER PRIMARY KEY, record_key TEXT NOT NULL UNIQUE, generation BIGINT NOT NULL,
                    extra TEXT NOT NULL,
                    name TEXT NOT NULL UNIQUE, description TEXT NOT NULL, enabled INTEGER NOT NULL, tags TEXT NOT NULL
                );
                CREATE TABLE identity_projects (
                    id INTEGER PRIMARY KEY, record_key TEXT NOT NULL UNIQUE, generation BIGINT NOT NULL,
                    extra TEXT NOT NULL,
                    domain_key TEXT NOT NULL REFERENCES identity_domains (record_key) ON DELETE CASCADE,
                    parent_key TEXT REFERENCES identity_projects (record_key) ON DELETE CASCADE,
                    name TEXT NOT NULL, description TEXT NOT NULL, enabled INTEGER NOT NULL, tags TEXT NOT NULL,
                    UNIQUE (domain_key, name)
                );
                CREATE INDEX identity_projects_by_parent ON identity_projects (parent_key);
                CREATE TABLE identity_users (
                    id INTEGER PRIMARY KEY, record_key TEXT NOT NULL UNIQUE, generation BIGINT NOT NULL,
                    extra TEXT NOT NULL,
                    domain_key TEXT NOT NULL REFERENCES identity_domains (record_key) ON DELETE CASCADE,
                    name TEXT NOT NULL, description TEXT, enabled INTEGER NOT NULL, default_project TEXT,
                    password_hash TEXT, tokens_valid_from BIGINT NOT NULL,
                    UNIQUE (domain_key, name)
                );
                CREATE TABLE identity_groups (
                    id INTEGER PRIMARY KEY, record_key TEXT NOT NULL UNIQUE, generation BIGINT NOT NULL,
                    extra TEXT NOT NULL,
                    domain_key TEXT NOT NULL REFERENCES identity_domains (record_key) ON DELETE CASCADE,
                    name TEXT NOT NULL, description TEXT NOT NULL,
                    UNIQUE (domain_key, name)
                );
                CREATE TABLE identity_group_members (
                    id INTEGER PRIMARY KEY,
                    group_key TEXT NOT NULL REFERENCES identity_groups (record_key) ON DELETE CASCADE,
                    user_key TEXT NOT NULL REFERENCES identity_users (record_key) ON DELETE CASCADE,
                    UNIQUE (group_key, user_key)
                );
                CREATE INDEX identity_group_members_by_user ON identity_group_members (user_key);
                CREATE TABLE identity_roles (
                    id INTEGER PRIMARY KEY, record_key TEXT NOT NULL UNIQUE, generation BIGINT NOT NULL,
                    extra TEXT NOT NULL,
                    name TEXT NOT NULL, domain_key TEXT NOT NULL, description TEXT,
                    UNIQUE (domain_key, name)
                );
                CREATE TABLE identity_implied_roles (
                    id INTEGER PRIMARY KEY,
                    prior_key TEXT NOT NULL REFERENCES identity_roles (record_key) ON DELETE CASCADE,
                    implied_key TEXT NOT NULL REFERENCES identity_roles (record_key) ON DELETE CASCADE,
                    UNIQUE (prior_key, implied_key)
                );
                CREATE TABLE identity_assignments (
                    id INTEGER PRIMARY KEY,
                    user_key TEXT REFERENCES identity_users (record_key) ON DELETE CASCADE,
                    group_key TEXT REFERENCES identity_groups (record_key) ON DELETE CASCADE,
                    project_key TEXT REFERENCES identity_projects (record_key) ON DELETE CASCADE,
                    domain_key TEXT REFERENCES identity_domains (record_key) ON DELETE CASCADE,
                    role_key TEXT NOT NULL REFERENCES identity_roles (record_key) ON DELETE CASCADE,
                    inherited INTEGER NOT NULL,
                    fingerprint TEXT NOT NULL UNIQUE
                );
                CREATE INDEX identity_assignments_by_user ON identity_assignments (user_key);
                CREATE INDEX identity_assignments_by_group ON identity_assignments (group_key);
                CREATE INDEX identity_assignments_by_project ON identity_assignments (project_key);
                CREATE INDEX identity_assignments_by_domain ON identity_assignments (domain_key);
                CREATE INDEX identity_assignments_by_role ON identity_assignments (role_key);
                """),
        Migration(
            slice: "identity", number: 2, name: "catalog and tokens",
            sql: """
                CREATE TABLE identity_regions (
                    id INTEGER PRIMARY KEY, record_key TEXT NOT NULL UNIQUE, generation BIGINT NOT NULL,
                    extra TEXT NOT NULL,
                    description TEXT NOT NULL, parent_key TEXT REFERENCES identity_regions (record_key)
                );
                CREATE TABLE identity_services (
                    id INTEGER PRIMARY KEY, record_key TEXT NOT NULL UNIQUE, generation BIGINT NOT NULL,
                    extra TEXT NOT NULL,
                    type TEXT NOT NULL, name TEXT NOT NULL, description TEXT, enabled INTEGER NOT NULL
                );
                CREATE TABLE identity_endpoints (
                    id INTEGER PRIMARY KEY, record_key TEXT NOT NULL UNIQUE, generation BIGINT NOT NULL,
                    extra TEXT NOT NULL,
                    service_key TEXT NOT NULL REFERENCES identity_services (record_key) ON DELETE CASCADE,
                    interface TEXT NOT NULL, region_key TEXT REFERENCES identity_regions (record_key),
                    url TEXT NOT NULL, enabled INTEGER NOT NULL
                );
                CREATE TABLE identity_revocations (
                    id INTEGER PRIMARY KEY, audit_id TEXT NOT NULL UNIQUE, expires_at BIGINT NOT NULL
                );
                CREATE TABLE identity_token_keys (
                    id INTEGER PRIMARY KEY, number BIGINT NOT NULL UNIQUE, secret BLOB NOT NULL,
                    created_at BIGINT NOT NULL
                );
                """),
        Migration(
            slice: "identity", number: 3, name: "roles on projects that act as domains",
            sql: "ALTER TABLE identity_assignments ADD COLUMN as_project INTEGER NOT NULL DEFAULT 0;")
    ]
}
