import ProtocolSQLite

/// Uploads in parts, and the contents that they become.
extension ObjectIndex {
    // MARK: Composed contents

    /// In their order.
    func pieces(of content: Int64) throws -> [ContentReference] {
        try database.rows("SELECT piece, size FROM pieces WHERE content = ? ORDER BY number", [.integer(content)]) {
            ContentReference(id: $0.integer(0), size: $0.integer(1))
        }
    }

    /// Takes over the uses that the pieces had.
    func insertComposed(_ content: ContentReference, of pieces: [ContentReference]) throws {
        try database.execute(
            "INSERT INTO contents (id, size, segment, place, digest, uses, pieces) VALUES (?, ?, NULL, 0, NULL, 1, ?)",
            [.integer(content.id), .integer(content.size), .integer(Int64(pieces.count))])
        for (number, piece) in pieces.enumerated() {
            try database.execute(
                "INSERT INTO pieces (content, number, piece, size) VALUES (?, ?, ?, ?)",
                [.integer(content.id), .integer(Int64(number)), .integer(piece.id), .integer(piece.size)])
        }
    }

    // MARK: Uploads

    func countUploads(in container: Int64) throws -> Int64 {
        try database.rows("SELECT COUNT(*) FROM uploads WHERE container = ?", [.integer(container)]) {
            $0.integer(0)
        }.first ?? 0
    }

    func insert(_ upload: PendingUpload, container: Int64) throws {
        try database.execute(
            "INSERT INTO uploads (id, container, name, type, metadata, created) VALUES (?, ?, ?, ?, ?, ?)",
            [
                .text(upload.id), .integer(container), .name(upload.object.name), .text(upload.contentType),
                .text(MetadataText.encode(upload.metadata)), .integer(upload.created)
            ])
    }

    func upload(_ id: String, _ object: ObjectName, in container: Int64) throws -> PendingUpload? {
        try database.rows(
            "SELECT id, type, metadata, created FROM uploads WHERE id = ? AND container = ? AND name = ?",
            [.text(id), .integer(container), .name(object.name)]
        ) { row in
            PendingUpload(
                id: row.text(0), object: object, contentType: row.text(1), metadata: MetadataText.decode(row.text(2)),
                created: row.integer(3))
        }.first
    }

    func uploads(of name: ContainerName, in container: Int64, _ query: UploadsQuery) throws -> [PendingUpload] {
        let prefix = Array(query.prefix.utf8)
        // No name in UTF-8 has the octet 255.
        let end = prefix.last.map { prefix.dropLast() + [$0 + 1] } ?? [0xff]
        return try database.rows(
            """
            SELECT id, name, type, metadata, created FROM uploads
            WHERE container = ?1 AND name >= ?2 AND name < ?3 AND (name > ?4 OR (name = ?4 AND ?5 <> '' AND id > ?5))
            ORDER BY name, id LIMIT ?6
            """,
            [
                .integer(container), .blob(prefix), .blob(Array(end)), .name(query.keyMarker), .text(query.idMarker),
                .integer(Int64(query.limit))
            ]
        ) { row in
            PendingUpload(
                id: row.text(0), object: ObjectName(container: name, name: row.name(1)), contentType: row.text(2),
                metadata: MetadataText.decode(row.text(3)), created: row.integer(4))
        }
    }

    func uploads(before moment: Int64, limit: Int) throws -> [String] {
        try database.rows(
            "SELECT id FROM uploads WHERE created < ? ORDER BY created LIMIT ?",
            [.integer(moment), .integer(Int64(limit))]
        ) { $0.text(0) }
    }

    /// With its parts.
    func drop(upload: String) throws {
        for part in try parts(of: upload, after: 0, limit: .max) { try release(part.content) }
        try forget(upload: upload)
    }

    func dropUploads(of container: Int64) throws {
        let ids = try database.rows("SELECT id FROM uploads WHERE container = ?", [.integer(container)]) { $0.text(0) }
        for id in ids { try drop(upload: id) }
    }

    /// What became of its parts is the caller's to say.
    func forget(upload: String) throws {
        try database.execute("DELETE FROM parts WHERE upload = ?", [.text(upload)])
        try database.execute("DELETE FROM uploads WHERE id = ?", [.text(upload)])
    }

    // MARK: Parts

    func part(_ number: Int, of upload: String) throws -> ContentReference? {
        try database.rows(
            "SELECT content, size FROM parts WHERE upload = ? AND number = ?",
            [.text(upload), .integer(Int64(number))]
        ) { ContentReference(id: $0.integer(0), size: $0.integer(1)) }.first
    }

    func insert(_ part: StoredPart, _ content: ContentReference, upload: String) throws {
        try database.execute(
            "INSERT INTO parts (upload, number, content, size, etag, checksum, changed) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                .text(upload), .integer(Int64(part.number)), .integer(content.id), .integer(content.size),
                .text(part.etag), .text(part.checksum), .integer(part.changed)
            ])
    }

    func dropPart(_ number: Int, of upload: String, _ content: ContentReference) throws {
        try database.execute(
            "DELETE FROM parts WHERE upload = ? AND number = ?", [.text(upload), .integer(Int64(number))])
        try release(content)
    }

    func parts(
        of upload: String, after number: Int, limit: Int
    ) throws -> [(part: StoredPart, content: ContentReference)] {
        try database.rows(
            """
            SELECT number, content, size, etag, checksum, changed FROM parts WHERE upload = ? AND number > ?
            ORDER BY number LIMIT ?
            """, [.text(upload), .integer(Int64(number)), .integer(Int64(limit))]
        ) { row in
            (
                StoredPart(
                    number: Int(row.integer(0)), size: row.integer(2), etag: row.text(3), checksum: row.text(4),
                    changed: row.integer(5)),
                ContentReference(id: row.integer(1), size: row.integer(2))
            )
        }
    }

    /// Octets of parts that are no objects yet.
    func pendingBytes(account: Int64, container: Int64) throws -> (account: Int64, container: Int64) {
        try database.rows(
            """
            SELECT COALESCE(SUM(p.size), 0), COALESCE(SUM(CASE WHEN c.id = ?2 THEN p.size ELSE 0 END), 0)
            FROM containers c JOIN uploads u ON u.container = c.id JOIN parts p ON p.upload = u.id
            WHERE c.account = ?1
            """, [.integer(account), .integer(container)]
        ) { ($0.integer(0), $0.integer(1)) }.first ?? (0, 0)
    }

    func bytes(account: Int64) throws -> Int64 {
        try database.rows("SELECT bytes FROM accounts WHERE id = ?", [.integer(account)]) { $0.integer(0) }.first ?? 0
    }
}
