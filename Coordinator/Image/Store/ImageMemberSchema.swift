enum ImageMemberSchema {
    static let tables = """
        CREATE TABLE image_members (
            id INTEGER PRIMARY KEY,
            image TEXT NOT NULL,
            member TEXT NOT NULL,
            status TEXT NOT NULL,
            created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            UNIQUE (image, member)
        );
        CREATE INDEX image_members_by_member ON image_members (member, status, image);
        """

    /// Lists of what is shared with a project in the order of the images' own times, which never change.
    static let order = """
        ALTER TABLE image_members ADD COLUMN image_created_at BIGINT NOT NULL DEFAULT 0;
        UPDATE image_members SET image_created_at =
            COALESCE((SELECT images.created_at FROM images WHERE images.uuid = image_members.image), 0);
        DROP INDEX image_members_by_member;
        CREATE INDEX image_members_by_status ON image_members (member, status, image_created_at, image);
        CREATE INDEX image_members_by_time ON image_members (member, image_created_at, image);
        """
}
