import CoordinatorPlatform

/// Pages that begin some items behind their marker, or behind the list's beginning.
enum OffsetPage {
    /// Rows that are passed over at a time.
    private static let stride = 1000

    static func records<Record>(
        _ table: RecordTable<Record>, _ schema: ListSchema, _ query: ListQuery, visible: SQLCondition,
        skipping offset: Int, in reader: any SQLReader
    ) throws -> [Record] {
        var query = query
        var left = offset
        while left > 0 {
            var skipped = query
            skipped.limit = min(left, stride)
            let identities = try schema.rows(
                skipped, visible: visible, select: schema.identity.expression, in: reader
            ) { $0.text(0) }
            guard identities.count == skipped.limit, let last = identities.last else { return [] }
            query.marker = last
            left -= identities.count
        }
        return try schema.records(table, query, visible: visible, in: reader)
    }
}
