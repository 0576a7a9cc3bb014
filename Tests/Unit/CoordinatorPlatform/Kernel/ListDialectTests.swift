import CoordinatorPlatform
import Testing

@Suite("reading list queries")
struct ListDialectTests {
    private static func dialect(
        _ directions: ListDialect.Directions = .matched(isAscending: true), isStrict: Bool = true
    ) -> ListDialect {
        ListDialect(
            limitDefault: 20, limitMaximum: 50, directions: directions,
            refusal: { isStrict ? .badRequest("\($0)") : nil }, links: { _, _ in [:] })
    }

    private static func read(
        _ query: [(name: String, value: String)], _ dialect: ListDialect = dialect()
    ) throws -> ListQuery {
        try dialect.read(
            query, isFilter: { ["name", "shared"].contains($0) }, isFlag: { $0 == "shared" },
            isSort: { ["name", "size"].contains($0) })
    }

    @Test(
        "limits",
        arguments: [(nil, 20), ("7", 7), ("50", 50), ("999", 50), ("0", 0)] as [(String?, Int)])
    func limits(text: String?, limit: Int) throws {
        #expect(try Self.read(text.map { [(name: "limit", value: $0)] } ?? []).limit == limit)
    }

    @Test("limits that are none are refused, or passed over", arguments: ["-1", "x", "", "1.5", "99999999999999999999"])
    func badLimits(text: String) throws {
        let query = [(name: "limit", value: text)]
        #expect(throws: APIError.badRequest("limit(\"\(text)\")")) { try Self.read(query) }
        #expect(try Self.read(query, Self.dialect(isStrict: false)).limit == 20)
    }

    @Test("values of one name are alternatives; flags are read by the service's words")
    func filters() throws {
        let query = try Self.read([
            (name: "name", value: "a"), (name: "shared", value: "TRUE"), (name: "name", value: "b"),
            (name: "marker", value: ""), (name: "page_reverse", value: "True")
        ])
        #expect(query.filters == [.init("name", .equal, ["a", "b"]), .init("shared", .equal, ["true"])])
        #expect(query.marker == nil)
        #expect(query.isReversed)
    }

    @Test("where repetitions narrow, each value of a name is a condition of its own")
    func narrowing() throws {
        var dialect = Self.dialect()
        dialect.repeatsNarrow = true
        let query = try Self.read([(name: "name", value: "a"), (name: "name", value: "b")], dialect)
        #expect(query.filters == [.init("name", .equal, ["a"]), .init("name", .equal, ["b"])])
    }

    @Test("what there is not is refused by name")
    func unknown() {
        #expect(throws: APIError.badRequest("unknownFilters([\"b\", \"a\"])")) {
            try Self.read([(name: "b", value: ""), (name: "a", value: ""), (name: "b", value: "")])
        }
        #expect(throws: APIError.badRequest("unknownSortKeys([\"colour\"])")) {
            try Self.read([(name: "sort_key", value: "colour")])
        }
        #expect(throws: APIError.badRequest("sortDirections([\"up\"])")) {
            try Self.read([(name: "sort_key", value: "name"), (name: "sort_dir", value: "up")])
        }
        #expect(throws: APIError.badRequest("flag(name: \"shared\", value: \"maybe\")")) {
            try Self.read([(name: "shared", value: "maybe")])
        }
    }

    @Test("directions: one for each or none, or the last one again")
    func directions() throws {
        let keys = [(name: "sort_key", value: "name"), (name: "sort_key", value: "size")]
        let one = keys + [(name: "sort_dir", value: "desc")]
        #expect(try Self.read(keys).sorts == [.init("name"), .init("size")])
        #expect(throws: APIError.badRequest("sortCount")) { try Self.read(one) }
        let repeating = Self.dialect(.lastRepeats(isAscending: true))
        #expect(
            try Self.read(one, repeating).sorts == [
                .init("name", isAscending: false), .init("size", isAscending: false)
            ])
        #expect(try Self.read(keys, repeating).sorts == [.init("name"), .init("size")])
    }

    @Test("a query has a bound, also where nothing else is refused")
    func bounds() {
        let many = Array(repeating: (name: "sort_key", value: "name"), count: 17)
        #expect(throws: APIError.self) { try Self.read(many, Self.dialect(isStrict: false)) }
        let values = Array(repeating: (name: "name", value: "x"), count: 1025)
        #expect(throws: APIError.self) { try Self.read(values, Self.dialect(isStrict: false)) }
    }
}
