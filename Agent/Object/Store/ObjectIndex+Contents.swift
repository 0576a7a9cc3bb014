import ProtocolSQLite

/// Where a content's bytes lie.
struct ContentPlace: Hashable, Sendable {
    /// `nil`: in a file of its own, named after the content.
    var segment: Int64?
    /// Octets from the segment's beginning to the record's.
    var offset: Int64 = 0
    /// Of a packed content's bytes.
    var digest: [UInt8] = []
    /// It has no bytes of its own: other contents, behind each other, are it.
    var isComposed = false
}

extension ObjectIndex {
    func place(of content: Int64) throws -> ContentPlace? {
        try database.rows("SELECT segment, place, digest, pieces FROM contents WHERE id = ?", [.integer(content)]) {
            row in
            ContentPlace(
                segment: row.isNull(0) ? nil : row.integer(0), offset: row.integer(1), digest: row.blob(2),
                isComposed: row.integer(3) > 0)
        }.first
    }

    func insertContent(_ content: ContentReference, at place: ContentPlace) throws {
        try database.execute(
            "INSERT INTO contents (id, size, segment, place, digest, uses) VALUES (?, ?, ?, ?, ?, 1)",
            [
                .integer(content.id), .integer(content.size), place.segment.map { .integer($0) } ?? .null,
                .integer(place.offset), .blob(place.digest)
            ])
        if let segment = place.segment { try count(segment: segment, live: Self.record(content)) }
    }

    /// One object more has these bytes.
    /// - Returns: `false` when they are gone.
    func use(_ content: Int64) throws -> Bool {
        try database.execute("UPDATE contents SET uses = uses + 1 WHERE id = ?", [.integer(content)])
        return database.changes == 1
    }

    /// One object fewer has these bytes; after the last, they are garbage.
    func release(_ content: ContentReference) throws {
        guard content.id != 0 else { return }
        try database.execute("UPDATE contents SET uses = uses - 1 WHERE id = ?", [.integer(content.id)])
        let left = try database.rows(
            "SELECT uses, segment, pieces FROM contents WHERE id = ?", [.integer(content.id)]
        ) {
            (uses: $0.integer(0), segment: $0.isNull(1) ? nil : $0.integer(1), isComposed: $0.integer(2) > 0)
        }.first
        guard let left, left.uses == 0 else { return }
        try database.execute("DELETE FROM contents WHERE id = ?", [.integer(content.id)])
        if let segment = left.segment {
            try count(segment: segment, live: -Self.record(content))
        } else if left.isComposed {
            let pieces = try pieces(of: content.id)
            try database.execute("DELETE FROM pieces WHERE content = ?", [.integer(content.id)])
            for piece in pieces { try release(piece) }
        } else {
            try database.execute("INSERT INTO garbage (id) VALUES (?)", [.integer(content.id)])
        }
    }

    // MARK: Segments

    /// Octets that a content takes in a segment. With its head: else a segment of tiny contents would look like
    /// garbage, and so would the one that they are moved to, for ever.
    private static func record(_ content: ContentReference) -> Int64 { content.size + Int64(SegmentFiles.headSize) }

    func count(segment: Int64, live: Int64) throws {
        try database.execute(
            """
            INSERT INTO segments (id, live) VALUES (?, ?)
            ON CONFLICT (id) DO UPDATE SET live = live + excluded.live
            """, [.integer(segment), .integer(live)])
    }

    /// Octets of each segment that some object still has.
    func segments() throws -> [Int64: Int64] {
        Dictionary(
            uniqueKeysWithValues: try database.rows("SELECT id, live FROM segments") {
                ($0.integer(0), $0.integer(1))
            })
    }

    func contents(of segment: Int64, limit: Int) throws -> [(ContentReference, ContentPlace)] {
        try database.rows(
            "SELECT id, size, place, digest FROM contents WHERE segment = ? ORDER BY place LIMIT ?",
            [.integer(segment), .integer(Int64(limit))]
        ) { row in
            (
                ContentReference(id: row.integer(0), size: row.integer(1)),
                ContentPlace(segment: segment, offset: row.integer(2), digest: row.blob(3))
            )
        }
    }

    /// - Returns: Whether the content still lay where it was read.
    func move(_ content: ContentReference, from old: ContentPlace, to new: ContentPlace) throws -> Bool {
        guard let from = old.segment, let to = new.segment else { return false }
        try database.execute(
            "UPDATE contents SET segment = ?, place = ? WHERE id = ? AND segment = ? AND place = ?",
            [.integer(to), .integer(new.offset), .integer(content.id), .integer(from), .integer(old.offset)])
        guard database.changes == 1 else { return false }
        try count(segment: from, live: -Self.record(content))
        try count(segment: to, live: Self.record(content))
        return true
    }

    func forget(segment: Int64) throws {
        try database.execute("DELETE FROM segments WHERE id = ?", [.integer(segment)])
    }

    // MARK: Garbage

    /// Numbers are above zero.
    func garbage(after id: Int64, limit: Int) throws -> [Int64] {
        try database.rows(
            "SELECT id FROM garbage WHERE id > ? ORDER BY id LIMIT ?", [.integer(id), .integer(Int64(limit))]
        ) { $0.integer(0) }
    }

    func forgetGarbage(_ ids: [Int64]) throws {
        for id in ids { try database.execute("DELETE FROM garbage WHERE id = ?", [.integer(id)]) }
    }
}
