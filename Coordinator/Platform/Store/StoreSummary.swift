/// How much is in a database and of which release its schema is: nothing of what stands there.
public struct StoreSummary: Sendable, Equatable {
    /// The last step of each slice, by slice.
    public var schema: [String]
    /// Rows, by table.
    public var rows: [String]

    public init(of reader: any SQLReader) throws {
        schema = try reader.query(
            "SELECT slice, MAX(number) FROM schema_migrations GROUP BY slice ORDER BY slice", []
        ) { "\($0.text(0)): \($0.integer(1))" }
        // Readers of both engines can tell of their tables.
        let tables = try (reader as? any WriterSession)?.tables() ?? []
        rows = try tables.map { "\($0.name): \(try reader.count("SELECT COUNT(*) FROM \($0.name)"))" }
    }
}
