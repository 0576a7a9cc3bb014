import CoordinatorPlatform

/// What servers' rows and tables have for rebuilds, rescues, resizes, images and shelving.
enum LifecycleSchema {
    /// - Parameter number: Of the slice's migrations; they are numbered without a gap.
    static func migration(_ number: Int) -> Migration {
        Migration(slice: "compute", number: number, name: "lifecycle", sql: lifecycle)
    }

    /// What a server's disks are made from beside its image, what is being made of them, and where it was moved.
    private static let lifecycle = """
        ALTER TABLE servers ADD COLUMN root_disk_version INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE servers ADD COLUMN rescue_version INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE servers ADD COLUMN rescue_image_id TEXT;
        ALTER TABLE servers ADD COLUMN rescue_sha512 TEXT;
        ALTER TABLE servers ADD COLUMN rescue_size BIGINT;
        ALTER TABLE servers ADD COLUMN rescue_format TEXT;
        ALTER TABLE servers ADD COLUMN rescue_password TEXT;
        ALTER TABLE servers ADD COLUMN disk_image_id TEXT;
        ALTER TABLE servers ADD COLUMN disk_sha512 TEXT;
        ALTER TABLE servers ADD COLUMN disk_size BIGINT;
        ALTER TABLE servers ADD COLUMN disk_format TEXT;
        ALTER TABLE servers ADD COLUMN shelved_image_id TEXT;
        ALTER TABLE servers ADD COLUMN shelved_at BIGINT;
        ALTER TABLE servers ADD COLUMN soft_deleted_at BIGINT;
        ALTER TABLE servers ADD COLUMN upload_image_id TEXT;
        ALTER TABLE servers ADD COLUMN backup_type TEXT;
        ALTER TABLE servers ADD COLUMN backup_rotation INTEGER;
        CREATE INDEX servers_by_soft_deletion ON servers (soft_deleted_at);
        CREATE TABLE server_migrations (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            server_uuid TEXT NOT NULL,
            project_id TEXT NOT NULL,
            user_id TEXT NOT NULL,
            kind TEXT NOT NULL,
            status TEXT NOT NULL,
            source_node TEXT,
            source_host TEXT,
            dest_node TEXT,
            dest_host TEXT,
            old_flavor TEXT NOT NULL,
            old_flavor_number BIGINT,
            new_flavor TEXT NOT NULL,
            new_flavor_number BIGINT,
            old_vm_state TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL
        );
        CREATE INDEX server_migrations_by_server ON server_migrations (server_uuid, id);
        CREATE INDEX server_migrations_by_status ON server_migrations (status, updated_at);
        """
}
