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
}
