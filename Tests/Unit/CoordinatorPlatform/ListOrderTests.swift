import CoordinatorPlatform
import ProtocolModel
import Testing

/// A record that is found by nothing but its row.
private struct Note: TableRecord, Equatable {
    static let blank = Note()
    static let table = RecordTable<Self>("notes")
    static let list = ListSchema(
        table, identity: "word",
        columns: ["word": .init("word"), "time": .init("time", .number), "row": .init("id", .number, isSort: false)])
    static let migration = Migration(
        slice: "note", number: 1, name: "notes",
        sql: """
            CREATE TABLE notes (
                id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE, time INTEGER NOT NULL, said TEXT NOT NULL);
            CREATE TABLE note_tags (note TEXT NOT NULL, tag TEXT NOT NULL, UNIQUE (note, tag));
            """)

    var row: Int64 = 0
    var word = ""
    var time = 0
    var said = ""

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &row, .number)
        try column("word", &word)
        try column("time", &time, .fixed)
        try column("said", &said)
    }

    static func database(_ notes: [(String, Int)] = []) async throws -> EmbeddedDatabase {
        let database = try EmbeddedDatabase(inMemory: .init())
        try await Migrator([migration]).migrate(database, now: 0)
        try await database.write { transaction in
            for (word, time) in notes { try table.insert(Note(word: word, time: time), in: transaction) }
        }
        return database
    }
}

@Suite("orders of lists")
struct ListOrderTests {
    private static let dialect = ListDialect(
        directions: .oneOrEach(isAscending: false), sortDefault: "time", sortEnding: ["time", "row"],
        refusal: { $0 == .sortCount ? .badRequest("count") : nil }, links: { _, _ in [:] })

    private static func sorts(_ query: [(String, String)]) throws -> String {
        try dialect.read(query.map { (name: $0.0, value: $0.1) }, isFilter: { _ in false }, isSort: Note.list.isSort)
            .sorts.map { "\($0.name) \($0.isAscending ? "+" : "-")" }.joined(separator: ", ")
    }

    @Test("an order has a default, and an end that makes it total")
    func endings() throws {
        #expect(try Self.sorts([]) == "time -, row -")
        #expect(try Self.sorts([("sort_dir", "asc")]) == "time +, row +")
        #expect(try Self.sorts([("sort_key", "word"), ("sort_dir", "asc")]) == "word +, time +, row +")
        let mixed = [("sort_key", "word"), ("sort_key", "time"), ("sort_dir", "asc"), ("sort_dir", "desc")]
        #expect(try Self.sorts(mixed) == "word +, time -, row -")
        #expect(try Self.sorts([("sort_key", "word"), ("sort_key", "word")]) == "word -, time -, row -")
        #expect(try Self.sorts([("sort_key", "row")]) == "time -, row -", "only orders end in it")
        #expect(throws: APIError.self) {
            try Self.sorts([("sort_key", "word"), ("sort_dir", "asc"), ("sort_dir", "asc")])
        }
    }

    @Test("an order that ends in the row is followed in its direction, page by page", arguments: [true, false])
    func pages(isAscending: Bool) async throws {
        let database = try await Note.database([("a", 1), ("b", 2), ("c", 1), ("d", 1), ("e", 2)])
        var query = ListQuery()
        query.sorts = [.init("time"), .init("row", isAscending: isAscending)]
        query.limit = 2
        var words: [String] = []
        for _ in 0..<3 {
            let page = try await database.read { [query] in try Note.list.records(Note.table, query, in: $0) }
            words += page.map(\.word)
            query.marker = page.last?.word
        }
        #expect(words == (isAscending ? ["a", "c", "d", "b", "e"] : ["d", "c", "a", "e", "b"]))
    }
}

@Suite("records that only their row names")
struct NumberedRecordTests {
    @Test("they are found, changed and deleted by it")
    func byRow() async throws {
        let database = try await Note.database([("a", 1), ("b", 2)])
        try await database.write { transaction in
            var note = try #require(try Note.table.find(2, in: transaction))
            #expect(note == Note(row: 2, word: "b", time: 2))
            note.word = "c"
            note.said = "hm"
            try Note.table.update(note, in: transaction)
            #expect(try Note.table.all(in: transaction).map(\.word) == ["a", "c"])
            #expect(try Note.table.delete(note.row, in: transaction))
            #expect(throws: StoreError.stale("notes 2")) { try Note.table.update(note, in: transaction) }
        }
    }

    @Test("tags are bounded, unless their service counts them")
    func tags() async throws {
        enum Thing {}
        let database = try await Note.database()
        let words = (0...TagSet.most).map { "t\($0)" }
        let thing = Identifier<Thing>(high: 1, low: 2)
        try await database.write { transaction in
            let free = TagSet(table: "note_tags", owner: "note", most: nil)
            try free.replace(words, of: thing, in: transaction)
            #expect(try free.tags(of: thing, in: transaction).count == TagSet.most + 1)
            let bounded = TagSet(table: "note_tags", owner: "note")
            #expect(throws: TooManyTags.self) { try bounded.replace(words, of: thing, in: transaction) }
        }
    }
}
