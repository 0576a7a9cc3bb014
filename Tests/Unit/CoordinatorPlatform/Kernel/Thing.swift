import CoordinatorPlatform
import ProtocolModel

/// A record of the tests' own, with a column of each role and of most kinds.
struct Thing: Sendable, Equatable {
    enum Colour: String, SQLWord, CaseIterable { case red, green }
    enum ThingTag {}

    var number: Int64 = 0
    var id: Identifier<ThingTag>
    var project: ProjectID
    var name: String
    var size: Int?
    var isShared = false
    var colour = Colour.red
    var labels: [String: String] = [:]
    var generation = 0
}

extension Thing: TableRecord {
    static let blank = Thing(id: .init(high: 0, low: 0), project: .init(high: 0, low: 0), name: "")
    static let table = RecordTable<Self>("things", alias: "t")
    static let tags = TagSet(table: "thing_tags", owner: "thing")

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try column("uuid", &id, .key)
        try column.compact("project_id", &project, .fixed)
        try column("name", &name)
        try column("size", &size)
        try column("shared", &isShared)
        try column("colour", &colour)
        try column("labels", &labels)
        try column("generation", &generation, .generation)
    }

    static let list = ListSchema(
        table,
        columns: [
            "id": .init("t.uuid", .identifier), "project_id": .init("t.project_id", .compactIdentifier),
            "name": .init("t.name"), "size": .init("t.size", .number, isNullable: true),
            "shared": .init("t.shared", .flag), "colour": .init("t.colour", isSort: false)
        ], special: tags.filters("t.uuid"))

    static let migration = Migration(
        slice: "test", number: 1, name: "things",
        sql: """
            CREATE TABLE things (
                id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, project_id TEXT NOT NULL, name TEXT NOT NULL,
                size BIGINT, shared INTEGER NOT NULL, colour TEXT NOT NULL, labels TEXT NOT NULL,
                generation BIGINT NOT NULL
            );
            CREATE INDEX things_by_name ON things (name, id);
            CREATE TABLE thing_tags (
                id INTEGER PRIMARY KEY, thing TEXT NOT NULL, tag TEXT NOT NULL, UNIQUE (thing, tag)
            );
            """)

    static func database() async throws -> EmbeddedDatabase {
        let database = try EmbeddedDatabase(inMemory: .init())
        _ = try await Migrator(QuotaStore.migrations + [migration]).migrate(database, now: 0)
        return database
    }
}
