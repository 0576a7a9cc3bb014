import CoordinatorPlatform

/// The slice's tables.
public enum BlockStorageSchema {
    public static let migrations = [
        Migration(slice: "blockstorage", number: 1, name: "volumes", sql: volumes + snapshots),
        Migration(slice: "blockstorage", number: 2, name: "attachments and types", sql: attachments + types),
        Migration(slice: "blockstorage", number: 3, name: "transfers", sql: transfers),
        Migration(slice: "blockstorage", number: 4, name: "what types can have, and messages", sql: extras),
        Migration(
            slice: "blockstorage", number: 5, name: "images of volumes",
            sql: "ALTER TABLE blockstorage_volumes ADD COLUMN upload_image TEXT;"),
        Migration(
            slice: "blockstorage", number: 6, name: "progress of snapshots",
            sql: "ALTER TABLE blockstorage_snapshots ADD COLUMN progress TEXT;")
    ]

    /// What all hosted resources have.
    private static let hosted = """
            task_deadline BIGINT,
            node_id TEXT,
            host TEXT,
            zone TEXT,
            plan_generation BIGINT NOT NULL,
            attempts INTEGER NOT NULL,
            excluded TEXT NOT NULL,
            action_id BIGINT,
            operation_id TEXT,
            deleted_at BIGINT,
            fault_code INTEGER,
            fault_message TEXT,
            fault_details TEXT,
            fault_at BIGINT
        """

    private static let volumes = """
        CREATE TABLE blockstorage_volumes (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            generation BIGINT NOT NULL,
            project_id TEXT NOT NULL,
            user_id TEXT NOT NULL,
            name TEXT,
            description TEXT,
            size_gib BIGINT NOT NULL,
            wanted_gib BIGINT NOT NULL,
            claimed_gib BIGINT NOT NULL,
            type_id TEXT NOT NULL,
            pool TEXT NOT NULL,
            source_volume TEXT,
            source_snapshot TEXT,
            image_id TEXT,
            image_sha512 TEXT,
            image_size BIGINT,
            image_format TEXT,
            status TEXT NOT NULL,
            task TEXT,
            progress INTEGER NOT NULL,
            is_failing INTEGER NOT NULL,
            is_bootable INTEGER NOT NULL,
            is_read_only INTEGER,
            is_multiattach INTEGER NOT NULL,
            metadata TEXT NOT NULL,
            image_metadata TEXT,
            pinned_zone TEXT,
            pinned_host TEXT,
            reversion_version INTEGER NOT NULL,
            reversion_snapshot TEXT,
            group_id TEXT,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            launched_at BIGINT,
        \(hosted)
        );
        CREATE INDEX blockstorage_volumes_by_project ON blockstorage_volumes (project_id, created_at, id);
        CREATE INDEX blockstorage_volumes_by_time ON blockstorage_volumes (created_at, id);
        CREATE INDEX blockstorage_volumes_by_node ON blockstorage_volumes (node_id);
        CREATE INDEX blockstorage_volumes_by_deadline ON blockstorage_volumes (task_deadline);
        CREATE INDEX blockstorage_volumes_by_type ON blockstorage_volumes (type_id);
        CREATE INDEX blockstorage_volumes_by_source ON blockstorage_volumes (source_volume);
        CREATE INDEX blockstorage_volumes_by_snapshot ON blockstorage_volumes (source_snapshot);
        CREATE INDEX blockstorage_volumes_by_deletion ON blockstorage_volumes (deleted_at);
        CREATE INDEX blockstorage_volumes_by_group ON blockstorage_volumes (group_id);

        """

    private static let snapshots = """
        CREATE TABLE blockstorage_snapshots (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            generation BIGINT NOT NULL,
            volume_id TEXT NOT NULL,
            project_id TEXT NOT NULL,
            user_id TEXT NOT NULL,
            name TEXT,
            description TEXT,
            size_gib BIGINT NOT NULL,
            type_id TEXT NOT NULL,
            pool TEXT NOT NULL,
            status TEXT NOT NULL,
            task TEXT,
            is_failing INTEGER NOT NULL,
            metadata TEXT NOT NULL,
            group_id TEXT,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
        \(hosted)
        );
        CREATE INDEX blockstorage_snapshots_by_volume ON blockstorage_snapshots (volume_id, id);
        CREATE INDEX blockstorage_snapshots_by_project ON blockstorage_snapshots (project_id, created_at, id);
        CREATE INDEX blockstorage_snapshots_by_node ON blockstorage_snapshots (node_id);
        CREATE INDEX blockstorage_snapshots_by_deadline ON blockstorage_snapshots (task_deadline);
        CREATE INDEX blockstorage_snapshots_by_deletion ON blockstorage_snapshots (deleted_at);
        """

    private static let attachments = """
        CREATE TABLE blockstorage_attachments (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            generation BIGINT NOT NULL,
            volume_id TEXT NOT NULL,
            project_id TEXT NOT NULL,
            server_id TEXT,
            status TEXT NOT NULL,
            mode TEXT NOT NULL,
            is_managed INTEGER NOT NULL,
            device TEXT,
            bus TEXT NOT NULL,
            boot_index INTEGER,
            deletes_volume INTEGER NOT NULL,
            tag TEXT,
            node_id TEXT,
            hostname TEXT,
            connector TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            attached_at BIGINT
        );
        CREATE INDEX blockstorage_attachments_by_volume ON blockstorage_attachments (volume_id, id);
        CREATE INDEX blockstorage_attachments_by_server ON blockstorage_attachments (server_id, id);
        CREATE INDEX blockstorage_attachments_by_project ON blockstorage_attachments (project_id, id);

        """

    /// The type that is there from the beginning has the same id in every cloud.
    private static let types = """
        CREATE TABLE blockstorage_types (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            generation BIGINT NOT NULL,
            name TEXT NOT NULL UNIQUE,
            description TEXT,
            is_public INTEGER NOT NULL,
            extra_specs TEXT NOT NULL,
            qos_specs_id TEXT,
            created_at BIGINT NOT NULL,
            updated_at BIGINT
        );
        CREATE TABLE blockstorage_type_access (
            id INTEGER PRIMARY KEY,
            type_id TEXT NOT NULL,
            project_id TEXT NOT NULL,
            UNIQUE (type_id, project_id)
        );
        INSERT INTO blockstorage_types
            (uuid, generation, name, description, is_public, extra_specs, created_at)
        VALUES ('6c2f0a1e-3b57-4c58-9d0e-5a7d1c9be001', 1, '__DEFAULT__', 'Default Volume Type', 1, '{}', 0);
        """

    private static let transfers = """
        CREATE TABLE blockstorage_transfers (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            volume_id TEXT NOT NULL,
            project_id TEXT NOT NULL,
            name TEXT,
            key_hash TEXT NOT NULL,
            salt TEXT NOT NULL,
            leaves_snapshots INTEGER NOT NULL,
            created_at BIGINT NOT NULL
        );
        CREATE INDEX blockstorage_transfers_by_project ON blockstorage_transfers (project_id, created_at, id);
        CREATE INDEX blockstorage_transfers_by_volume ON blockstorage_transfers (volume_id);
        """

    private static let extras = """
        CREATE TABLE blockstorage_qos (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            generation BIGINT NOT NULL,
            name TEXT NOT NULL UNIQUE,
            consumer TEXT NOT NULL,
            specs TEXT NOT NULL,
            created_at BIGINT NOT NULL
        );
        CREATE TABLE blockstorage_type_encryption (
            id INTEGER PRIMARY KEY,
            type_id TEXT NOT NULL UNIQUE,
            encryption_id TEXT NOT NULL,
            provider TEXT NOT NULL,
            control_location TEXT NOT NULL,
            cipher TEXT,
            key_size INTEGER,
            created_at BIGINT NOT NULL,
            updated_at BIGINT
        );
        CREATE TABLE blockstorage_default_types (
            id INTEGER PRIMARY KEY,
            project_id TEXT NOT NULL UNIQUE,
            type_id TEXT NOT NULL
        );
        CREATE TABLE blockstorage_messages (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            project_id TEXT NOT NULL,
            request_id TEXT NOT NULL,
            resource_type TEXT NOT NULL,
            resource_id TEXT NOT NULL,
            action TEXT NOT NULL,
            text TEXT NOT NULL,
            created_at BIGINT NOT NULL
        );
        CREATE INDEX blockstorage_messages_by_project ON blockstorage_messages (project_id, created_at, id);
        """
}
