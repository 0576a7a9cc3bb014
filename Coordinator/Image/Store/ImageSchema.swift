import CoordinatorPlatform

enum ImageSchema {
    static let migrations = [
        Migration(
            slice: "image", number: 1, name: "images",
            sql: """
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
                """)
    ]
}
