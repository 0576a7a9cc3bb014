import CoordinatorPlatform

/// The slice's tables.
enum ImageSchema {
    /// Numbered by their place: a new step goes to the end, and a released one never moves or changes.
    static let migrations = steps.enumerated().map { place, step in
        Migration(slice: "image", number: place + 1, name: step.name, sql: step.sql)
    }

    private static let steps: [(name: String, sql: String)] =
        [
            ("images", images),
            ("members", ImageMemberSchema.tables),
            ("lists", ImageListSchema.indexes),
            ("metadefs", MetadefSchema.tables)
        ] + ImageDataSchema.migrations.map { ($0.name, $0.sql) } + [
            ("order of memberships", ImageMemberSchema.order),
            ("lanes of imports", ImageDataSchema.lanes),
            ("ids of deleted images", formerIDs), ("whose the ids of deleted images were", formerOwners)
        ]

    /// So that what is remembered has a bound for each project.
    private static let formerOwners = """
        ALTER TABLE image_former_ids ADD COLUMN project TEXT NOT NULL DEFAULT '';
        CREATE INDEX image_former_ids_by_project ON image_former_ids (project);
        """

    /// Ids that were once an image's. Whoever knows a deleted image by its id must never meet another one there.
    private static let formerIDs = """
        CREATE TABLE image_former_ids (
            uuid TEXT PRIMARY KEY
        );
        """

    private static let images = """
        CREATE TABLE images (
            id INTEGER PRIMARY KEY,
            uuid TEXT NOT NULL UNIQUE,
            name TEXT,
            status TEXT NOT NULL,
            visibility TEXT NOT NULL,
            protected INTEGER NOT NULL,
            hidden INTEGER NOT NULL,
            owner TEXT,
            disk_format TEXT,
            container_format TEXT,
            min_disk INTEGER NOT NULL,
            min_ram INTEGER NOT NULL,
            size BIGINT,
            virtual_size BIGINT,
            checksum TEXT,
            sha512 TEXT,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            generation BIGINT NOT NULL
        );
        CREATE INDEX images_by_created ON images (created_at, uuid);
        CREATE INDEX images_by_owner ON images (owner);
        CREATE INDEX images_by_content ON images (sha512);
        CREATE TABLE image_tags (
            image TEXT NOT NULL,
            tag TEXT NOT NULL,
            UNIQUE (image, tag)
        );
        CREATE TABLE image_properties (
            image TEXT NOT NULL,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            UNIQUE (image, name)
        );
        """
}
