enum MetadefSchema {
    static let tables = """
        CREATE TABLE metadef_namespaces (
            id INTEGER PRIMARY KEY,
            namespace TEXT NOT NULL UNIQUE,
            display_name TEXT,
            description TEXT,
            visibility TEXT NOT NULL,
            protected INTEGER NOT NULL,
            owner TEXT,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL
        );
        CREATE TABLE metadef_items (
            id INTEGER PRIMARY KEY,
            namespace INTEGER NOT NULL REFERENCES metadef_namespaces (id) ON DELETE CASCADE,
            kind TEXT NOT NULL,
            name TEXT NOT NULL,
            body TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            UNIQUE (namespace, kind, name)
        );
        CREATE TABLE metadef_resource_types (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL
        );
        CREATE TABLE metadef_associations (
            id INTEGER PRIMARY KEY,
            namespace INTEGER NOT NULL REFERENCES metadef_namespaces (id) ON DELETE CASCADE,
            resource_type INTEGER NOT NULL REFERENCES metadef_resource_types (id),
            prefix TEXT,
            properties_target TEXT,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            UNIQUE (namespace, resource_type)
        );
        CREATE INDEX metadef_associations_by_type ON metadef_associations (resource_type, namespace);
        CREATE TABLE metadef_defaults (
            namespace TEXT NOT NULL UNIQUE
        );
        """
}
