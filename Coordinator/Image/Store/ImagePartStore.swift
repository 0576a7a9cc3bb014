import CoordinatorPlatform
import ProtocolModel

/// The table of parts.
struct ImagePartStore: Sendable {
    /// Puts the part in the place of the image's part of the same kind, whose file nobody has then.
    func put(_ part: ImagePart, in transaction: any SQLTransaction) throws {
        try ImagePart.table.delete(where: Self.place(part.image, part.kind), in: transaction)
        try ImagePart.table.insert(part, in: transaction)
    }

    private static func place(_ image: ImageID, _ kind: ImagePart.Kind) -> SQLCondition {
        .all([.equal("image", image), .equal("kind", kind)])
    }

    /// Notes how much of a file is safe; nothing happens when the part was replaced or dropped meanwhile.
    /// - Parameter content: The hashes, once all of it is there.
    /// - Returns: Whether the part is still there.
    @discardableResult
    func advance(
        file: String, to size: Int64, _ content: BlobWriter.Result? = nil, at now: Int64,
        in transaction: any SQLTransaction
    ) throws -> Bool {
        try transaction.execute(
            "UPDATE image_parts SET size = ?, complete = ?, md5 = ?, sha512 = ?, updated_at = ? WHERE file = ?",
            [size, content != nil, content?.md5, content?.sha512, now, file]) == 1
    }

    /// All of a part is there.
    /// - Returns: Whether the part is still there.
    func complete(
        file: String, _ content: BlobWriter.Result, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Bool {
        try advance(file: file, to: content.sizeBytes, content, at: now, in: transaction)
    }

    /// A part that its image waited with is as new.
    func touch(file: String, at now: Int64, in transaction: any SQLTransaction) throws {
        try transaction.execute("UPDATE image_parts SET updated_at = ? WHERE file = ?", [now, file])
    }

    func part(of image: ImageID, _ kind: ImagePart.Kind, in reader: any SQLReader) throws -> ImagePart? {
        try ImagePart.table.first(where: Self.place(image, kind), in: reader)
    }

    /// Parts that nobody has touched since `limit` and whose image is not at them: neither data nor an import is under
    /// way, or there is no such image.
    func stale(before limit: Int64, in reader: any SQLReader) throws -> [ImagePart] {
        let isLeft = SQLCondition(
            """
            updated_at < ? AND NOT EXISTS (
                SELECT 1 FROM images WHERE uuid = image
                    AND (status IN ('saving', 'importing') OR (status = 'uploading' AND complete = 0)))
            """, [limit])
        return try ImagePart.table.all(where: isLeft, order: "updated_at", limit: 1_000, in: reader)
    }

    /// Incomplete parts of images that data is coming in for, not recorded since `limit`; so many at a time, by file.
    func underWay(before limit: Int64, after file: String, in reader: any SQLReader) throws -> [ImagePart] {
        let isUnderWay = SQLCondition(
            """
            file > ? AND updated_at < ? AND complete = 0 AND (
                (kind = 'upload' AND EXISTS (SELECT 1 FROM images WHERE uuid = image AND status = 'saving'))
                OR (kind = 'stage' AND EXISTS (SELECT 1 FROM images WHERE uuid = image AND status = 'uploading')))
            """, [file, limit])
        return try ImagePart.table.all(where: isUnderWay, order: "file", limit: 500, in: reader)
    }

    func files(in reader: any SQLReader) throws -> Set<String> {
        Set(try reader.query("SELECT file FROM image_parts") { $0.text(0) })
    }

    func drop(image: ImageID, in transaction: any SQLTransaction) throws {
        try ImagePart.table.delete(where: .equal("image", image), in: transaction)
    }
}
