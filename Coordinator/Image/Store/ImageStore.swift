import CoordinatorPlatform
import ProtocolModel

/// The image tables.
package struct ImageStore: Sendable {
    /// The service has a limit of its own, which operators set.
    private let tags = TagSet(table: "image_tags", owner: "image", most: nil)

    package init() {}

    /// Ids that projects chose and gave back, which are remembered for ever, of one project: then it chooses no more.
    static let mostFormerIDs = 1_000

    /// - Throws: ``StoreError/duplicate(_:)``, also where the id was a deleted image's.
    package func insert(_ image: Image, in transaction: any SQLTransaction) throws {
        guard try !transaction.exists("image_former_ids", .equal("uuid", image.id)) else {
            throw StoreError.duplicate("image \(image.id) was deleted")
        }
        try Image.table.insert(image, in: transaction)
        try write(image, in: transaction)
    }

    /// Writes the whole image back unless it changed since it was read.
    /// - Throws: ``StoreError/stale(_:)`` then.
    func update(_ image: Image, in transaction: any SQLTransaction) throws {
        try Image.table.update(image, in: transaction)
        try ImageProperty.table.delete(where: .equal("image", image.id), in: transaction)
        try write(image, in: transaction)
    }

    private func write(_ image: Image, in transaction: any SQLTransaction) throws {
        try tags.replace(image.tags, of: image.id, in: transaction)
        for (name, value) in image.properties {
            let property = ImageProperty(image: image.id, name: name, value: value)
            _ = try ImageProperty.table.insert(property, unlessTaken: "image, name", in: transaction)
        }
    }

    func delete(_ id: ImageID, of owner: ProjectID?, in transaction: any SQLTransaction) throws {
        try tags.removeAll(from: id, in: transaction)
        try ImageProperty.table.delete(where: .equal("image", id), in: transaction)
        try ImageMember.table.delete(where: .equal("image", id), in: transaction)
        try Image.table.delete(id, in: transaction)
        // What this service made, nobody can choose: it need not be remembered.
        guard !ImageMark.has(id) else { return }
        try transaction.execute(
            "INSERT INTO image_former_ids (uuid, project) VALUES (?, ?) ON CONFLICT (uuid) DO NOTHING",
            [id, owner?.compact ?? ""])
    }

    /// How many ids are remembered that images of this project had.
    func formerIDs(of owner: ProjectID?, in reader: any SQLReader) throws -> Int {
        try reader.count("image_former_ids", .equal("project", owner?.compact ?? ""))
    }

    /// One conditional write decides between two uploads.
    /// - Returns: Whether the image was in `old`.
    func move(
        _ id: ImageID, from old: Image.Status, to new: Image.Status, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Bool {
        try move(.equal("uuid", id), from: old, to: new, at: now, in: transaction) == 1
    }

    /// The same for all images of a kind.
    /// - Returns: How many there are.
    @discardableResult
    func move(
        _ which: SQLCondition = .always, from old: Image.Status, to new: Image.Status, at now: Int64,
        in transaction: any SQLTransaction
    ) throws -> Int {
        try transaction.execute(
            """
            UPDATE images SET status = ?, updated_at = ?, generation = generation + 1 WHERE \(which.sql) AND status = ?
            """, [new, now] + which.arguments + [old])
    }

    func image(_ id: ImageID, in reader: any SQLReader) throws -> Image? {
        guard let image = try Image.table.find(id, in: reader) else { return nil }
        return try fill([image], in: reader).first
    }

    func images(of project: ProjectID, in reader: any SQLReader) throws -> [ImageID] {
        try reader.query("SELECT uuid FROM images WHERE owner = ? ORDER BY id", [project]) { try $0.id(0) }
    }

    func hashes(in reader: any SQLReader) throws -> Set<String> {
        Set(try reader.query("SELECT DISTINCT sha512 FROM images WHERE sha512 IS NOT NULL") { $0.text(0) })
    }

    /// Adds tags and properties, two statements for the whole list.
    func fill(_ images: [Image], in reader: any SQLReader) throws -> [Image] {
        let ids = images.map(\.id)
        let tags = try tags.tags(of: ids, in: reader)
        let properties = try reader.inPieces(ids) {
            try ImageProperty.table.all(where: .in("image", Array($0)), order: nil, in: reader)
        }
        let byImage = Dictionary(grouping: properties, by: \.image)
        return images.map { image in
            var image = image
            image.tags = tags[image.id] ?? []
            for property in byImage[image.id] ?? [] { image.properties[property.name] = property.value }
            return image
        }
    }
}
