import CoordinatorPlatform
import ProtocolModel

/// Tags of any resource of the slice.
struct TagStore: Sendable {
    /// Sorted, by resource.
    func tags(of resources: [AnyID], in reader: any SQLReader) throws -> [AnyID: [String]] {
        var result: [AnyID: [String]] = [:]
        for chunk in resources.chunks(of: InList.limit) {
            let list = InList(Array(chunk))
            _ = try reader.query(
                "SELECT resource_id, tag FROM network_tags WHERE resource_id IN \(list.placeholders) ORDER BY tag",
                list.arguments
            ) { row in result[try row.id(0), default: []].append(row.text(1)) }
        }
        return result
    }

    func add(_ tag: String, to resource: AnyID, in transaction: any SQLTransaction) throws {
        try transaction.execute(
            "INSERT INTO network_tags (resource_id, tag) VALUES (?, ?) ON CONFLICT (resource_id, tag) DO NOTHING",
            [resource, tag])
    }

    /// - Returns: Whether it was there.
    func remove(_ tag: String, from resource: AnyID, in transaction: any SQLTransaction) throws -> Bool {
        try transaction.execute("DELETE FROM network_tags WHERE resource_id = ? AND tag = ?", [resource, tag]) == 1
    }

    func removeAll(from resource: AnyID, in transaction: any SQLTransaction) throws {
        try transaction.execute("DELETE FROM network_tags WHERE resource_id = ?", [resource])
    }
}
