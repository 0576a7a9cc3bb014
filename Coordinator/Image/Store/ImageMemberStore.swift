import CoordinatorPlatform
import ProtocolModel

/// Whom images are shared with.
package struct ImageMemberStore: Sendable {
    package init() {}

    private static let columns = "image, member, status, created_at, updated_at"

    /// - Throws: ``StoreError/duplicate(_:)``
    package func insert(_ member: ImageMember, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO image_members (\(Self.columns), image_created_at)
            VALUES (?, ?, ?, ?, ?, COALESCE((SELECT images.created_at FROM images WHERE images.uuid = ?), 0))
            """,
            [
                member.image, member.member, member.status.rawValue, member.createdAt, member.updatedAt, member.image
            ])
    }

    func setStatus(_ member: ImageMember, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "UPDATE image_members SET status = ?, updated_at = ? WHERE image = ? AND member = ?",
            [member.status.rawValue, member.updatedAt, member.image, member.member])
    }

    func delete(_ member: ImageMember, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "DELETE FROM image_members WHERE image = ? AND member = ?", [member.image, member.member])
    }

    func member(_ image: ImageID, _ member: String, in reader: any SQLReader) throws -> ImageMember? {
        try reader.first(
            "SELECT \(Self.columns) FROM image_members WHERE image = ? AND member = ?", [image, member], Self.map)
    }

    func members(_ image: ImageID, in reader: any SQLReader) throws -> [ImageMember] {
        try reader.query(
            "SELECT \(Self.columns) FROM image_members WHERE image = ? ORDER BY id", [image], Self.map)
    }

    func count(_ image: ImageID, in reader: any SQLReader) throws -> Int {
        try reader.count("SELECT COUNT(*) FROM image_members WHERE image = ?", [image])
    }

    private static func map(_ row: any SQLRow) throws -> ImageMember {
        guard let status = ImageMember.Status(rawValue: row.text(2)) else {
            throw StoreError.corrupt("image member has status '\(row.text(2))'")
        }
        return ImageMember(
            image: try row.id(0), member: row.text(1), status: status, createdAt: row.integer(3),
            updatedAt: row.integer(4))
    }
}
