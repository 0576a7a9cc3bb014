/// What keeps a page of the image list flat however many images there are.
///
/// Each order that clients ask for has an index that ends in `(created_at, uuid)`, which makes it total. The first
/// column is always an equality of the query: `hidden` for administrators, the owner or the visibility for the branches
/// of everybody else's list. The expressions are those of ``ImageListSQL``, letter by letter.
enum ImageListSchema {
    static let indexes = """
        CREATE INDEX images_list_created ON images (hidden, created_at, uuid);
        CREATE INDEX images_list_updated ON images (hidden, updated_at, created_at, uuid);
        CREATE INDEX images_list_name ON images (hidden, COALESCE(name, ''), created_at, uuid);
        CREATE INDEX images_list_status ON images (hidden, status, created_at, uuid);
        CREATE INDEX images_list_size ON images (hidden, COALESCE(size, -1), created_at, uuid);
        CREATE INDEX images_list_disk ON images (hidden, COALESCE(disk_format, ''), created_at, uuid);
        CREATE INDEX images_list_container ON images (hidden, COALESCE(container_format, ''), created_at, uuid);
        CREATE INDEX images_list_id ON images (hidden, uuid);
        CREATE INDEX images_own_created ON images (owner, hidden, created_at, uuid);
        CREATE INDEX images_own_name ON images (owner, hidden, COALESCE(name, ''), created_at, uuid);
        CREATE INDEX images_seen_created ON images (visibility, hidden, created_at, uuid);
        CREATE INDEX images_seen_name ON images (visibility, hidden, COALESCE(name, ''), created_at, uuid);
        CREATE INDEX image_tags_by_tag ON image_tags (tag, image);
        CREATE INDEX image_properties_by_value ON image_properties (name, SUBSTR(value, 1, 64), image);
        """
}
