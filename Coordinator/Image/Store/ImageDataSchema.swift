import CoordinatorPlatform

/// The tables of images' data: parts, tasks and what is known of each content.
enum ImageDataSchema {
    /// Which queue an import waits in; those of older releases are under way already.
    static let lanes = """
        ALTER TABLE image_tasks ADD COLUMN lane TEXT NOT NULL DEFAULT '';
        CREATE INDEX image_tasks_by_lane ON image_tasks (lane, status, owner, id);
        """

    static let migrations = [
        Migration(
            slice: "image", number: 20, name: "parts, tasks and blobs",
            sql: """
                CREATE TABLE image_parts (
                    id INTEGER PRIMARY KEY,
                    image TEXT NOT NULL,
                    kind TEXT NOT NULL,
                    file TEXT NOT NULL UNIQUE,
                    size BIGINT NOT NULL,
                    complete INTEGER NOT NULL,
                    md5 TEXT,
                    sha512 TEXT,
                    updated_at BIGINT NOT NULL,
                    UNIQUE (image, kind)
                );
                CREATE INDEX image_parts_by_time ON image_parts (updated_at);
                CREATE TABLE image_tasks (
                    id INTEGER PRIMARY KEY,
                    uuid TEXT NOT NULL UNIQUE,
                    type TEXT NOT NULL,
                    status TEXT NOT NULL,
                    image TEXT NOT NULL,
                    owner TEXT,
                    user_id TEXT NOT NULL,
                    request_id TEXT NOT NULL,
                    input TEXT NOT NULL,
                    result TEXT NOT NULL,
                    message TEXT NOT NULL,
                    created_at BIGINT NOT NULL,
                    updated_at BIGINT NOT NULL,
                    deadline BIGINT NOT NULL,
                    expires_at BIGINT
                );
                CREATE INDEX image_tasks_by_image ON image_tasks (image);
                CREATE INDEX image_tasks_by_created ON image_tasks (created_at, uuid);
                CREATE INDEX image_tasks_by_expiry ON image_tasks (expires_at);
                CREATE TABLE image_blobs (
                    id INTEGER PRIMARY KEY,
                    sha512 TEXT NOT NULL UNIQUE,
                    checked_at BIGINT NOT NULL,
                    damage TEXT
                );
                CREATE INDEX image_blobs_by_check ON image_blobs (checked_at);
                """)
    ]
}
