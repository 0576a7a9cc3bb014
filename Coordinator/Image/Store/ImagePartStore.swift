import CoordinatorPlatform
import ProtocolModel

/// The table of parts.
struct ImagePartStore: Sendable {
    private static let columns = "image, kind, file, size, complete, updated_at, md5, sha512"

    /// Puts the part in the place of the image's part of the same kind, whose file nobody has then.
    func put(_ part: ImagePart, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "DELETE FROM image_parts WHERE image = ? AND kind = ?", [part.image, part.kind.rawValue])
        try transaction.execute(
            "INSERT INTO image_parts (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                part.image, part.kind.rawValue, part.file, part.sizeBytes, part.isComplete, part.updatedAt,
                part.content?.md5, part.content?.sha512
            ])
    }

    /// Notes how much of a file is safe; nothing happens when the part was replaced or dropped meanwhile.
    /// - Returns: Whether the part is still there.
    @discardableResult
    func advance(
        file: String, to size: Int64, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Bool {
        try transaction.execute(
            "UPDATE image_parts SET size = ?, complete = ?, updated_at = ? WHERE file = ?", [size, false, now, file])
            == 1
    }

    /// All of a part is there.
    /// - Returns: Whether the part is still there.
    func complete(
        file: String, _ content: BlobWriter.Result, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Bool {
        try transaction.execute(
            "UPDATE image_parts SET size = ?, complete = ?, md5 = ?, sha512 = ?, updated_at = ? WHERE file = ?",
            [content.sizeBytes, true, content.md5, content.sha512, now, file]) == 1
    }

    /// A part that its image waited with is as new.
    func touch(file: String, at now: Int64, in transaction: any SQLTransaction) throws {
        try transaction.execute("UPDATE image_parts SET updated_at = ? WHERE file = ?", [now, file])
    }

    func part(of image: ImageID, _ kind: ImagePart.Kind, in reader: any SQLReader) throws -> ImagePart? {
        try reader.first(
            "SELECT \(Self.columns) FROM image_parts WHERE image = ? AND kind = ?", [image, kind.rawValue], Self.map)
    }

    func all(in reader: any SQLReader) throws -> [ImagePart] {
        try reader.query("SELECT \(Self.columns) FROM image_parts ORDER BY id", [], Self.map)
    }

    /// Parts that nobody has touched since `limit` and whose image is not at them: neither data nor an import is under
    /// way, or there is no such image.
    func stale(before limit: Int64, in reader: any SQLReader) throws -> [ImagePart] {
        try reader.query(
            """
            SELECT \(Self.columns) FROM image_parts WHERE updated_at < ? AND NOT EXISTS (
                SELECT 1 FROM images WHERE uuid = image
                    AND (status IN ('saving', 'importing') OR (status = 'uploading' AND complete = 0)))
            ORDER BY updated_at LIMIT 1000
            """, [limit], Self.map)
    }

    /// Incomplete parts of images that data is coming in for, not recorded since `limit`; so many at a time, by file.
    func underWay(before limit: Int64, after file: String, in reader: any SQLReader) throws -> [ImagePart] {
        try reader.query(
            """
            SELECT \(Self.columns) FROM image_parts
            WHERE file > ? AND updated_at < ? AND complete = 0 AND (
                (kind = 'upload' AND EXISTS (SELECT 1 FROM images WHERE uuid = image AND status = 'saving'))
                OR (kind = 'stage' AND EXISTS (SELECT 1 FROM images WHERE uuid = image AND status = 'uploading')))
            ORDER BY file LIMIT 500
            """, [file, limit], Self.map)
    }

    func files(in reader: any SQLReader) throws -> Set<String> {
        Set(try reader.query("SELECT file FROM image_parts") { $0.text(0) })
    }

    func drop(image: ImageID, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM image_parts WHERE image = ?", [image])
    }

    /// - Returns: Whether the part was still there.
    @discardableResult
    func drop(file: String, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.execute("DELETE FROM image_parts WHERE file = ?", [file]) == 1
    }

    private static func map(_ row: any SQLRow) throws -> ImagePart {
        guard let kind = ImagePart.Kind(rawValue: row.text(1)) else {
            throw StoreError.corrupt("image part of kind '\(row.text(1))'")
        }
        var part = ImagePart(
            image: try row.id(0), kind: kind, file: row.text(2), sizeBytes: row.integer(3), isComplete: row.bool(4),
            updatedAt: row.integer(5))
        if let md5 = row.optionalText(6), let sha512 = row.optionalText(7) {
            part.content = BlobWriter.Result(sizeBytes: part.sizeBytes, md5: md5, sha512: sha512)
        }
        return part
    }
}
