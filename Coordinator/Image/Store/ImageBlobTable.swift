import CoordinatorPlatform
import ProtocolModel

/// What is known of each content: when it was last compared with its hash, and whether it is damaged.
struct ImageBlobTable: Sendable {
    /// Where an image says what is wrong with its data.
    private static let damageProperty = "os_glance_damage"
    private let images = ImageStore()

    /// - Parameter damage: What is wrong with the content; `nil` for one that was stored or checked just now and is whole.
    func note(_ sha512: String, damage: String?, at now: Int64, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO image_blobs (sha512, checked_at, damage) VALUES (?, ?, ?)
            ON CONFLICT (sha512) DO UPDATE SET checked_at = excluded.checked_at, damage = excluded.damage
            """, [sha512, now, damage])
    }

    func damage(of sha512: String, in reader: any SQLReader) throws -> String? {
        try reader.first("SELECT damage FROM image_blobs WHERE sha512 = ?", [sha512]) { $0.optionalText(0) } ?? nil
    }

    /// The content that images have and that nobody has looked at for the longest time, if that was before `limit`.
    func oldestCheck(before limit: Int64, in reader: any SQLReader) throws -> BlobContent? {
        try reader.first(
            """
            SELECT images.sha512, MAX(images.size) FROM images LEFT JOIN image_blobs ON image_blobs.sha512 = images.sha512
            WHERE images.sha512 IS NOT NULL AND COALESCE(image_blobs.checked_at, 0) < ?
            GROUP BY images.sha512, image_blobs.checked_at ORDER BY COALESCE(image_blobs.checked_at, 0) LIMIT 1
            """, [limit], BlobContent.table.record)
    }

    /// The content's length, `nil` when no image has it.
    func size(of sha512: String, in reader: any SQLReader) throws -> Int64? {
        try reader.first("SELECT size FROM images WHERE sha512 = ? LIMIT 1", [sha512]) { $0.integer(0) }
    }

    /// Every content that images have, with its length.
    func contents(in reader: any SQLReader) throws -> [BlobContent] {
        try reader.query(
            "SELECT DISTINCT \(BlobContent.table.selection) FROM images WHERE sha512 IS NOT NULL ORDER BY sha512", [],
            BlobContent.table.record)
    }

    /// Forgets contents that no image has any more.
    func forgetUnused(in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            DELETE FROM image_blobs WHERE NOT EXISTS (SELECT 1 FROM images WHERE images.sha512 = image_blobs.sha512)
            """)
    }

    /// Takes the images of a damaged content out of use; each says why.
    /// - Parameter seen: When the file was opened that the verdict is about. Content that came in again since then is
    ///   another file.
    /// - Returns: How many there are.
    @discardableResult
    func condemn(
        _ sha512: String, reason: String, seen: Int64, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Int {
        let checked = try transaction.first("SELECT checked_at FROM image_blobs WHERE sha512 = ?", [sha512]) {
            $0.integer(0)
        }
        if let checked, checked > seen { return 0 }
        try note(sha512, damage: reason, at: now, in: transaction)
        try transaction.execute(
            """
            INSERT INTO image_properties (image, name, value) SELECT uuid, ?, ? FROM images WHERE sha512 = ?
            ON CONFLICT (image, name) DO UPDATE SET value = excluded.value
            """, [Self.damageProperty, reason, sha512])
        return try images.move(.equal("sha512", sha512), from: .active, to: .killed, at: now, in: transaction)
    }

    /// Contents that count as damaged are compared with their hash at the next occasion.
    func checkDamagedFirst(of contents: [String], in transaction: any SQLTransaction) throws {
        for sha512 in contents {
            try transaction.execute(
                "UPDATE image_blobs SET checked_at = 0 WHERE sha512 = ? AND damage IS NOT NULL", [sha512])
        }
    }

    /// The content is whole again.
    func heal(_ sha512: String, at now: Int64, in transaction: any SQLTransaction) throws {
        try note(sha512, damage: nil, at: now, in: transaction)
        try transaction.execute(
            """
            DELETE FROM image_properties WHERE name = ? AND image IN (SELECT uuid FROM images WHERE sha512 = ?)
            """, [Self.damageProperty, sha512])
        try images.move(.equal("sha512", sha512), from: .killed, to: .active, at: now, in: transaction)
    }
}

/// The content of one image or of several.
struct BlobContent: TableRecord {
    static let blank = BlobContent()
    static let table = RecordTable<Self>("images")

    var sha512 = ""
    var sizeBytes: Int64 = 0

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("sha512", &sha512)
        try column("size", &sizeBytes)
    }
}
