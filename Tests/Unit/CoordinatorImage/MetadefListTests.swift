import CoordinatorImage
import CoordinatorPlatform
import Testing
import TestsSupportRandomness

@Suite("lists of metadata definitions")
struct MetadefListTests {
    private static let names = (0..<23).map { "n\(($0 * 7) % 23)" }

    private static func database() async throws -> EmbeddedDatabase {
        var random = SeededGenerator(seed: 7)
        let database = try EmbeddedDatabase(inMemory: .init())
        try await Migrator(PlatformMigrations.all + ImageSlice.migrations).migrate(database, now: 0)
        let namespaces = names.map { name in
            var namespace = MetadefNamespace(
                name: name, owner: ["a", "b", nil].randomElement(using: &random) ?? nil,
                at: .random(in: 0...3, using: &random))
            namespace.displayName = ["x", "y", nil].randomElement(using: &random) ?? nil
            namespace.visibility = Bool.random(using: &random) ? .public : .private
            return namespace
        }
        try await database.write { transaction in
            for namespace in namespaces { try MetadefNamespace.table.insert(namespace, in: transaction) }
        }
        return database
    }

    static let keys = ["namespace", "display_name", "owner", "visibility", "created_at", "updated_at"]

    @Test("page by page, every order shows what one page does, and that is the order", arguments: keys, [true, false])
    func pages(key: String, isAscending: Bool) async throws {
        let database = try await Self.database()
        var query = ListQuery()
        query.sorts = [.init(key, isAscending: isAscending), .init("row", isAscending: isAscending)]
        let whole = try await Self.page(query, database)
        #expect(Set(whole.map(\.name)) == Set(Self.names))
        let sorted = whole.sorted {
            let (one, other) = (Self.value(key, $0), Self.value(key, $1))
            return one == other ? ($0.row < $1.row) == isAscending : (one < other) == isAscending
        }
        #expect(whole == sorted)
        query.limit = 4
        var paged: [MetadefNamespace] = []
        while true {
            let page = try await Self.page(query, database)
            paged += page
            guard let last = page.last else { break }
            query.marker = last.name
        }
        #expect(paged == whole)
    }

    private static func page(_ query: ListQuery, _ database: EmbeddedDatabase) async throws -> [MetadefNamespace] {
        try await database.read { try MetadefNamespace.list.records(MetadefNamespace.table, query, in: $0) }
    }

    private static func value(_ key: String, _ namespace: MetadefNamespace) -> String {
        switch key {
        case "namespace": namespace.name
        case "display_name": namespace.displayName ?? ""
        case "owner": namespace.owner ?? ""
        case "visibility": namespace.visibility.rawValue
        default: "\(namespace.createdAt)"
        }
    }

    @Test("a namespace comes back as it was written, and a renamed one keeps its row")
    func renaming() async throws {
        let database = try await Self.database()
        try await database.write { transaction in
            let condition = SQLCondition.equal("namespace", "n0")
            var namespace = try #require(try MetadefNamespace.table.first(where: condition, in: transaction))
            namespace.name = "other"
            namespace.description = "said"
            namespace.isProtected = true
            namespace.updatedAt = 9
            try MetadefNamespace.table.update(namespace, in: transaction)
            #expect(try MetadefNamespace.table.find(namespace.row, in: transaction) == namespace)
            #expect(try MetadefNamespace.table.first(where: condition, in: transaction) == nil)
        }
    }

    @Test("on a resource, properties have the prefix of the association, in objects too")
    func prefixes() {
        var content = MetadefContent(MetadefNamespace(name: "n", owner: nil, at: 0))
        content.items = [
            MetadefItem(.property, name: "cpu", at: 0), MetadefItem(.tag, name: "t", at: 0),
            MetadefItem(
                .object, name: "o", body: ["properties": ["cpu": ["type": "string"]], "required": ["cpu"]], at: 0)
        ]
        let items = content.prefixed("hw_").items
        #expect(items.map(\.name) == ["hw_cpu", "t", "o"])
        #expect(items[2].body == ["properties": ["hw_cpu": ["type": "string"]], "required": ["hw_cpu"]])
    }
}
