import ProtocolSQLite

/// Listings cost what they show: a page is read by ranges of the key, and what lies below a delimiter is stepped over.
extension ObjectIndex {
    func listContainers(account: Int64, _ query: ListingQuery) throws -> [ListedContainer] {
        try ListingWalk(query).run(
            names: { low, high, limit in
                let sql = Self.range(
                    "SELECT name, objects, bytes, metadata, created, changed FROM containers WHERE account = ?", query)
                return try database.rows(sql, [.integer(account), .blob(low), .blob(high), .integer(limit)]) {
                    ($0.blob(0), Self.container($0, from: 1))
                }
            }, make: { ListedContainer(name: $0, record: $1) })
    }

    func listObjects(container: Int64, _ query: ListingQuery) throws -> [ListedObject] {
        try ListingWalk(query).run(
            names: { low, high, limit in
                let sql = Self.range(
                    """
                    SELECT name, content, size, etag, type, expires, changed,
                        CASE WHEN instr(metadata, '\(MetadataRules.sloSize)') > 0 THEN metadata END
                    FROM objects WHERE container = ?
                    """, query)
                return try database.rows(sql, [.integer(container), .blob(low), .blob(high), .integer(limit)]) {
                    ($0.blob(0), Self.listed($0))
                }
            }, make: { ListedObject(name: $0, record: $1) })
    }

    /// Of the metadata, a listing shows only what a manifest says of the whole.
    private static func listed(_ row: SQLiteStatement) -> ListedRecord {
        let metadata = row.isNull(7) ? [:] : MetadataText.decode(row.text(7))
        return ListedRecord(
            content: ContentReference(id: row.integer(1), size: row.integer(2)), etag: row.text(3),
            contentType: row.text(4), expires: row.isNull(5) ? nil : row.integer(5), changed: row.integer(6),
            whole: metadata[MetadataRules.sloSize].flatMap { Int64($0) },
            wholeETag: metadata[MetadataRules.sloETag])
    }

    private static func range(_ select: String, _ query: ListingQuery) -> String {
        "\(select) AND name >= ? AND name < ? ORDER BY name \(query.isReversed ? "DESC" : "ASC") LIMIT ?"
    }
}

/// Walks through names in their order.
package struct ListingWalk {
    /// No name in UTF-8 has this octet, so that all names are before it.
    private static let end: [UInt8] = [0xff]
    /// Rows that one statement reads at most where a delimiter may end the usefulness of the others.
    private static let step: Int64 = 200

    private let query: ListingQuery
    private let prefix: [UInt8]
    private let delimiter: [UInt8]
    private var low: [UInt8]
    private var high: [UInt8]

    package init(_ query: ListingQuery) {
        self.query = query
        prefix = Array(query.prefix.utf8)
        delimiter = Array(query.delimiter.utf8)
        low = prefix
        high = Self.behind(prefix)
        let (after, before) =
            query.isReversed ? (query.endMarker, query.marker) : (query.marker, query.endMarker)
        // The next possible name is this one with the smallest octet behind it.
        if !after.isEmpty { low = Self.later(low, Array(after.utf8) + [0]) }
        if !before.isEmpty { high = Self.earlier(high, Array(before.utf8)) }
    }

    /// - Parameter names: Rows from one name up to and without another one, in the query's order.
    package func run<Record, Item>(
        names: (_ low: [UInt8], _ high: [UInt8], _ limit: Int64) throws -> [([UInt8], Record)],
        make: (String, Record?) -> Item
    ) throws -> [Item] {
        var items: [Item] = []
        var (low, high) = (low, high)
        let marker = Array(query.marker.utf8)
        // Behind a folder there is likely another one, of which one row is enough; where there is none, more at a time.
        var step: Int64 = 1
        while items.count < query.limit, low.lexicographicallyPrecedes(high) {
            let missing = Int64(query.limit - items.count)
            let limit = delimiter.isEmpty ? missing : min(missing, step)
            let rows = try names(low, high, limit)
            var jumped = false
            for (name, record) in rows {
                if query.isReversed { high = name } else { low = name + [0] }
                // A path is not below itself.
                if !query.showsFolders, name == prefix { continue }
                guard let folder = folder(of: name) else {
                    items.append(make(Self.text(name), record))
                    continue
                }
                // The whole folder is shown once and then left behind.
                if query.isReversed { high = folder } else { low = Self.behind(folder) }
                jumped = true
                if query.showsFolders, folder != marker { items.append(make(Self.text(folder), nil)) }
                break
            }
            if !jumped, rows.count < limit { break }
            step = jumped ? 1 : min(step * 4, Self.step)
        }
        return items
    }

    /// The name up to the first delimiter behind the prefix; `nil` when there is none.
    private func folder(of name: [UInt8]) -> [UInt8]? {
        guard !delimiter.isEmpty else { return nil }
        var index = prefix.count
        while index + delimiter.count <= name.count {
            if name[index..<index + delimiter.count].elementsEqual(delimiter) {
                let folder = Array(name[..<(index + delimiter.count)])
                // Behind the path itself nothing is a folder of it.
                return !query.showsFolders && folder.count == name.count ? nil : folder
            }
            index += 1
        }
        return nil
    }

    /// The first octets that no name with this beginning comes after.
    private static func behind(_ beginning: [UInt8]) -> [UInt8] {
        guard let last = beginning.last else { return end }
        return beginning.dropLast() + [last + 1]
    }

    private static func later(_ one: [UInt8], _ other: [UInt8]) -> [UInt8] {
        one.lexicographicallyPrecedes(other) ? other : one
    }

    private static func earlier(_ one: [UInt8], _ other: [UInt8]) -> [UInt8] {
        one.lexicographicallyPrecedes(other) ? one : other
    }

    private static func text(_ name: [UInt8]) -> String { String(decoding: name, as: UTF8.self) }
}
