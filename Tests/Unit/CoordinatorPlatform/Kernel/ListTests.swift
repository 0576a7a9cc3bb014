import CoordinatorPlatform
import ProtocolModel
import Testing
import TestsSupportRandomness

/// Lists out of the database against a plain filter, sort and cut of the same things in memory.
@Suite("lists")
struct ListTests {
    private static let project = ProjectID(high: 1, low: 1)
    private static let stranger = ProjectID(high: 2, low: 2)

    private static func things(_ generator: inout SeededGenerator) -> [Thing] {
        (0..<60).map { _ in
            var thing = Thing(
                id: .random(using: &generator), project: generator.isHit(percent: 60) ? project : stranger,
                name: ["a", "b", "c", "it's", "%_"][generator.below(5)])
            thing.size = generator.isHit(percent: 25) ? nil : generator.below(4)
            thing.isShared = generator.isHit(percent: 30)
            return thing
        }
    }

    private static func random(_ generator: inout SeededGenerator) -> ListQuery {
        var query = ListQuery()
        if generator.isHit(percent: 40) {
            query.filters.append(.init("name", .equal, [["a"], ["b", "c"], ["%_"]][generator.below(3)]))
        }
        if generator.isHit(percent: 30) {
            query.filters.append(.init("size", [.greater, .lessOrEqual, .notEqual][generator.below(3)], ["1"]))
        }
        if generator.isHit(percent: 20) { query.filters.append(.init("shared", .equal, ["true"])) }
        if generator.isHit(percent: 20) {
            query.filters.append(.init("name", [.contains, .startsWith, .endsWith][generator.below(3)], ["%"]))
        }
        let keys = ["name", "size", "shared", "id"].shuffled(using: &generator).prefix(generator.below(4))
        query.sorts = keys.map { ListQuery.Sort($0, isAscending: generator.isHit(percent: 50)) }
        return query
    }

    /// The same by hand: numbers that are absent sort as 0, as the schema says.
    private static func expected(_ things: [Thing], _ query: ListQuery) -> [Thing] {
        let seen = things.filter { ($0.project == project || $0.isShared) }.filter { thing in
            query.filters.allSatisfy { filter in
                switch filter.name {
                case "name": filter.matches(.string(thing.name))
                case "shared": filter.matches(.bool(thing.isShared))
                default: thing.size.map { filter.matches(JSON($0)) } ?? (filter.comparison == .notEqual)
                }
            }
        }
        return seen.enumerated().sorted { left, right in
            for sort in query.sorts {
                let (a, b) = (key(left.element, sort.name), key(right.element, sort.name))
                if a != b { return (a < b) == sort.isAscending }
            }
            return left.offset < right.offset
        }.map(\.element)
    }

    private static func key(_ thing: Thing, _ name: String) -> String {
        switch name {
        case "name": thing.name
        case "size": String(thing.size ?? 0)
        case "shared": thing.isShared ? "1" : "0"
        default: thing.id.text
        }
    }

    private static let visible = SQLCondition(
        "t.project_id = ? OR t.shared = 1", [project.compact])

    @Test("pages, forwards and backwards, are what a plain list has", arguments: 1...40)
    func pages(seed: Int) async throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let things = Self.things(&generator)
        var query = Self.random(&generator)
        let expected = Self.expected(things, query).map(\.id)
        query.limit = 1 + generator.below(9)
        let database = try await Thing.database()
        try await database.write { transaction in
            for thing in things { try Thing.table.insert(thing, in: transaction) }
        }
        var pages: [[Thing]] = []
        repeat {
            query.marker = pages.last?.last?.id.text
            let page = try await Self.page(query, database)
            if page.isEmpty { break }
            pages.append(page)
        } while pages.count < 100
        #expect(pages.flatMap { $0.map(\.id) } == expected, "seed \(seed)")
        // And back, page by page, from the last one's first item.
        guard pages.count > 1, let last = pages.last?.first else { return }
        query.isReversed = true
        query.marker = last.id.text
        let before = try await Self.page(query, database).map(\.id)
        #expect(before == pages[pages.count - 2].map(\.id), "seed \(seed)")
    }

    private static func page(_ query: ListQuery, _ database: EmbeddedDatabase) async throws -> [Thing] {
        try await database.read { try Thing.list.records(Thing.table, query, visible: visible, in: $0) }
    }

    @Test("the random lists are not vacuous")
    func worthIt() {
        var filtered = 0
        var full = 0
        for seed in 1...40 {
            var generator = SeededGenerator(seed: UInt64(seed))
            let things = Self.things(&generator)
            let query = Self.random(&generator)
            let found = Self.expected(things, query).count
            if !query.filters.isEmpty, found > 0 { filtered += 1 }
            if found > 10 { full += 1 }
        }
        #expect(filtered > 10)
        #expect(full > 15)
    }

    @Test("a marker that the caller may not see is as unknown as one that is nowhere")
    func hiddenMarker() async throws {
        let database = try await Thing.database()
        let hidden = Thing(id: .fresh(), project: Self.stranger, name: "x")
        try await database.write { try Thing.table.insert(hidden, in: $0) }
        for marker in [hidden.id.text, AnyID.fresh().text, "no id"] {
            var query = ListQuery()
            query.marker = marker
            let asked = query
            await #expect(throws: UnknownMarker(marker: marker)) { try await Self.page(asked, database) }
        }
    }

    @Test("one stride is one range of an index, and begins behind the marker")
    func plan() async throws {
        let database = try await Thing.database()
        var query = ListQuery()
        query.sorts = [.init("name")]
        let page = KeysetPage(
            branches: [.init(source: SQLCondition("things t"))], keys: [.init("t.name"), .init("t.id")], limit: 5,
            marker: [.text("m"), .integer(7)])
        let plans = try await database.read { reader in
            try [1, 0].map { stride in
                let statement = page.statement(stride, "t.uuid", limit: 5)
                return try reader.query("EXPLAIN QUERY PLAN \(statement.sql)", statement.arguments) { $0.text(3) }
                    .joined(separator: "; ")
            }
        }
        #expect(plans[0].contains("SEARCH t USING INDEX things_by_name (name=? AND id>?)"))
        #expect(plans[1].contains("SEARCH t USING INDEX things_by_name (name>?)"))
        #expect(plans.allSatisfy { !$0.contains("TEMP B-TREE") }, "\(plans)")
    }

    @Test("tags filter in all four ways")
    func tags() async throws {
        let database = try await Thing.database()
        let things = ["none", "x", "y", "xy"].map { Thing(id: .fresh(), project: Self.project, name: $0) }
        try await database.write { transaction in
            for thing in things {
                try Thing.table.insert(thing, in: transaction)
                for tag in ["x", "y"] where thing.name.contains(tag) {
                    try Thing.tags.add(tag, to: thing.id, in: transaction)
                }
            }
        }
        for (filter, names) in [
            ("tags", ["xy"]), ("tags-any", ["x", "y", "xy"]), ("not-tags", ["none", "x", "y"]),
            ("not-tags-any", ["none"])
        ] {
            var query = ListQuery()
            query.filters = [.init(filter, .equal, ["x,y"])]
            let asked = query
            let found = try await Self.page(asked, database).map(\.name)
            #expect(found == names, "\(filter)")
        }
    }
}
