import CoordinatorPlatform

/// The tables of what users have handed on, and of passwords' ages.
enum AuthenticationMigrations {
    static let all = [
        Migration(
            slice: "identity authentication", number: 1, name: "application credentials, trusts and stored credentials",
            sql: """
                CREATE TABLE identity_application_credentials (
                    id INTEGER PRIMARY KEY, record_key TEXT NOT NULL UNIQUE, generation BIGINT NOT NULL,
                    extra TEXT NOT NULL,
                    user_key TEXT NOT NULL REFERENCES identity_users (record_key) ON DELETE CASCADE,
                    project_key TEXT NOT NULL REFERENCES identity_projects (record_key) ON DELETE CASCADE,
                    name TEXT NOT NULL, description TEXT, secret_hash TEXT NOT NULL, expires_at BIGINT,
                    unrestricted INTEGER NOT NULL, roles TEXT NOT NULL, access_rules TEXT NOT NULL,
                    UNIQUE (user_key, name)
                );
                CREATE INDEX identity_application_credentials_by_project
                    ON identity_application_credentials (project_key);
                CREATE TABLE identity_access_rules (
                    id INTEGER PRIMARY KEY, record_key TEXT NOT NULL UNIQUE, generation BIGINT NOT NULL,
                    extra TEXT NOT NULL,
                    user_key TEXT NOT NULL REFERENCES identity_users (record_key) ON DELETE CASCADE,
                    service TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,
                    UNIQUE (user_key, service, path, method)
                );
                CREATE TABLE identity_trusts (
                    id INTEGER PRIMARY KEY, record_key TEXT NOT NULL UNIQUE, generation BIGINT NOT NULL,
                    extra TEXT NOT NULL,
                    trustor_key TEXT NOT NULL REFERENCES identity_users (record_key) ON DELETE CASCADE,
                    trustee_key TEXT NOT NULL REFERENCES identity_users (record_key) ON DELETE CASCADE,
                    project_key TEXT REFERENCES identity_projects (record_key) ON DELETE CASCADE,
                    impersonation INTEGER NOT NULL, roles TEXT NOT NULL, expires_at BIGINT, remaining_uses BIGINT,
                    redelegated_key TEXT REFERENCES identity_trusts (record_key) ON DELETE CASCADE,
                    redelegation_count BIGINT NOT NULL
                );
                CREATE INDEX identity_trusts_by_trustor ON identity_trusts (trustor_key);
                CREATE INDEX identity_trusts_by_trustee ON identity_trusts (trustee_key);
                CREATE INDEX identity_trusts_by_project ON identity_trusts (project_key);
                CREATE INDEX identity_trusts_by_source ON identity_trusts (redelegated_key);
                CREATE TABLE identity_credentials (
                    id INTEGER PRIMARY KEY, record_key TEXT NOT NULL UNIQUE, generation BIGINT NOT NULL,
                    extra TEXT NOT NULL,
                    user_key TEXT NOT NULL REFERENCES identity_users (record_key) ON DELETE CASCADE,
                    project_key TEXT REFERENCES identity_projects (record_key) ON DELETE CASCADE,
                    type TEXT NOT NULL, sealed BLOB NOT NULL
                );
                CREATE INDEX identity_credentials_by_user ON identity_credentials (user_key);
                CREATE INDEX identity_credentials_by_project ON identity_credentials (project_key);
                CREATE TABLE identity_credential_keys (
                    id INTEGER PRIMARY KEY, number BIGINT NOT NULL UNIQUE, secret BLOB NOT NULL,
                    created_at BIGINT NOT NULL
                );
                """),
        Migration(
            slice: "identity authentication", number: 2, name: "security compliance",
            sql: """
                ALTER TABLE identity_users ADD COLUMN created_at BIGINT;
                ALTER TABLE identity_users ADD COLUMN password_created_at BIGINT;
                ALTER TABLE identity_users ADD COLUMN password_expires_at BIGINT;
                ALTER TABLE identity_users ADD COLUMN password_self_service INTEGER NOT NULL DEFAULT 0;
                ALTER TABLE identity_users ADD COLUMN password_history TEXT NOT NULL DEFAULT '[]';
                CREATE TABLE identity_user_activity (
                    id INTEGER PRIMARY KEY,
                    user_key TEXT NOT NULL UNIQUE REFERENCES identity_users (record_key) ON DELETE CASCADE,
                    failures BIGINT NOT NULL, failed_at BIGINT NOT NULL, active_at BIGINT
                );
                ALTER TABLE identity_revocations ADD COLUMN revoked_at BIGINT NOT NULL DEFAULT 0;
                """),
        Migration(
            slice: "identity authentication", number: 3, name: "revocations by user",
            sql: "ALTER TABLE identity_revocations ADD COLUMN user_key TEXT;"),
        Migration(
            slice: "identity authentication", number: 4, name: "revocations by delegation",
            sql: """
                ALTER TABLE identity_revocations ADD COLUMN delegation_key TEXT;
                ALTER TABLE identity_revocations ADD COLUMN issued_up_to BIGINT;
                CREATE TABLE identity_delegation_bounds (
                    id INTEGER PRIMARY KEY, delegation_key TEXT NOT NULL UNIQUE, issued_before BIGINT NOT NULL,
                    expires_at BIGINT NOT NULL
                );
                """)
    ]
}
