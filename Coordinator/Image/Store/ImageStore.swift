import CoordinatorPlatform
import ProtocolModel

/// The image tables.
package struct ImageStore: Sendable {
    package init() {}

    static let columns = """
        uuid, name, status, visibility, protected, hidden, owner, disk_format, container_format, min_disk, min_ram, size,
        virtual_size, checksum, sha512, created_at, updated_at, generation
        """

    package func insert(_ image: Image, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            """
            INSERT INTO images (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                image.id, image.name, image.status.rawValue, image.visibility.rawValue, image.isProtected,
                image.isHidden,
                image.owner, image.diskFormat, image.containerFormat, image.minDiskGiB, image.minMemoryMiB,
                image.sizeBytes, image.virtualSizeBytes, image.checksum, image.sha512, image.createdAt, image.updatedAt,
                image.generation
            ])
        try writeTags(image, in: transaction)
        try writeProperties(image, in: transaction)
    }

    /// Writes the whole image back unless it changed since it was read.
    /// - Throws: ``StoreError/stale(_:)`` then.
    func update(_ image: Image, in transaction: any SQLTransaction) throws {
        let changed = try transaction.execute(
            """
            UPDATE images SET name = ?, status = ?, visibility = ?, protected = ?, hidden = ?, owner = ?, disk_format = ?,
                container_format = ?, min_disk = ?, min_ram = ?, size = ?, virtual_size = ?, checksum = ?, sha512 = ?,
                updated_at = ?, generation = generation + 1
            WHERE uuid = ? AND generation = ?
            """,
            [
                image.name, image.status.rawValue, image.visibility.rawValue, image.isProtected, image.isHidden,
                image.owner, image.diskFormat, image.containerFormat, image.minDiskGiB, image.minMemoryMiB,
                image.sizeBytes, image.virtualSizeBytes, image.checksum, image.sha512, image.updatedAt, image.id,
                image.generation
            ])
        guard changed == 1 else { throw StoreError.stale("image \(image.id)") }
        try transaction.execute("DELETE FROM image_tags WHERE image = ?", [image.id])
        try transaction.execute("DELETE FROM image_properties WHERE image = ?", [image.id])
        try writeTags(image, in: transaction)
        try writeProperties(image, in: transaction)
    }

    func delete(_ id: ImageID, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM image_tags WHERE image = ?", [id])
        try transaction.execute("DELETE FROM image_properties WHERE image = ?", [id])
        try transaction.execute("DELETE FROM image_members WHERE image = ?", [id])
        try transaction.execute("DELETE FROM images WHERE uuid = ?", [id])
    }

    /// One conditional write decides between two uploads.
    /// - Returns: Whether the image was in `old`.
    func move(
        _ id: ImageID, from old: Image.Status, to new: Image.Status, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Bool {
        try transaction.execute(
            """
            UPDATE images SET status = ?, updated_at = ?, generation = generation + 1 WHERE uuid = ? AND status = ?
            """, [new.rawValue, now, id, old.rawValue]) == 1
    }

    /// After a crash: an upload that nobody carries on is none.
    func requeueUploads(at now: Int64, in transaction: any SQLTransaction) throws -> Int {
        try transaction.execute(
            "UPDATE images SET status = 'queued', updated_at = ?, generation = generation + 1 WHERE status = 'saving'",
            [now])
    }

    func image(_ id: ImageID, in reader: any SQLReader) throws -> Image? {
        try fill(reader.query("SELECT \(Self.columns) FROM images WHERE uuid = ?", [id], Self.map), in: reader).first
    }

    func hashes(in reader: any SQLReader) throws -> Set<String> {
        Set(try reader.query("SELECT DISTINCT sha512 FROM images WHERE sha512 IS NOT NULL") { $0.text(0) })
    }

    private func writeTags(_ image: Image, in transaction: any SQLTransaction) throws {
        for tag in image.tags {
            try transaction.execute("INSERT INTO image_tags (image, tag) VALUES (?, ?)", [image.id, tag])
        }
    }

    private func writeProperties(_ image: Image, in transaction: any SQLTransaction) throws {
        for (name, value) in image.properties {
            try transaction.execute(
                "INSERT INTO image_properties (image, name, value) VALUES (?, ?, ?)", [image.id, name, value])
        }
    }

    /// Adds tags and properties, two statements for the whole list.
    func fill(_ images: [Image], in reader: any SQLReader) throws -> [Image] {
        guard !images.isEmpty else { return images }
        let marks = images.map { _ in "?" }.joined(separator: ", ")
        let ids = images.map(\.id)
        var tags: [ImageID: [String]] = [:]
        var properties: [ImageID: [String: String]] = [:]
        _ = try reader.query("SELECT image, tag FROM image_tags WHERE image IN (\(marks)) ORDER BY tag", ids) { row in
            tags[try row.id(0), default: []].append(row.text(1))
        }
        _ = try reader.query("SELECT image, name, value FROM image_properties WHERE image IN (\(marks))", ids) { row in
            properties[try row.id(0), default: [:]][row.text(1)] = row.text(2)
        }
        return images.map { image in
            var image = image
            image.tags = tags[image.id] ?? []
            image.properties = properties[image.id] ?? [:]
            return image
        }
    }

    static func map(_ row: any SQLRow) throws -> Image {
        var image = Image(id: try row.id(0), owner: try row.optionalID(6), at: row.integer(15))
        image.name = row.optionalText(1)
        guard let status = Image.Status(rawValue: row.text(2)), let visibility = Image.Visibility(rawValue: row.text(3))
        else { throw StoreError.corrupt("image \(image.id) has status '\(row.text(2))', visibility '\(row.text(3))'") }
        image.status = status
        image.visibility = visibility
        image.isProtected = row.bool(4)
        image.isHidden = row.bool(5)
        image.diskFormat = row.optionalText(7)
        image.containerFormat = row.optionalText(8)
        image.minDiskGiB = row.int(9)
        image.minMemoryMiB = row.int(10)
        image.sizeBytes = row.optionalInteger(11)
        image.virtualSizeBytes = row.optionalInteger(12)
        image.checksum = row.optionalText(13)
        image.sha512 = row.optionalText(14)
        image.updatedAt = row.integer(16)
        image.generation = row.integer(17)
        return image
    }
}
