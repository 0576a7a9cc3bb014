import CoordinatorImage
import CoordinatorPlatform
import Testing

@Suite("how Glance's lists are asked for")
struct GlanceListTests {
    private static func dialect(_ sortKeys: [String]? = ["created_at", "name"]) -> ListDialect {
        .glance(
            path: "/v2/things", schema: "things", limitDefault: 25, limitMaximum: 100, ending: ["created_at", "id"],
            sortKeys: sortKeys, unknownMarker: { .badRequest("no \($0)") })
    }

    private static func read(_ query: [(String, String)], _ dialect: ListDialect = dialect()) throws -> ListQuery {
        try dialect.read(
            query.map { (name: $0.0, value: $0.1) }, isFilter: { $0 == "protected" }, isFlag: { $0 == "protected" },
            isSort: { ["created_at", "name", "id"].contains($0) })
    }

    @Test("without parameters: the newest first, a page of the default length")
    func defaults() throws {
        let query = try Self.read([])
        #expect(query.sorts == [.init("created_at", isAscending: false), .init("id", isAscending: false)])
        #expect(query.limit == 25 && query.marker == nil && query.filters.isEmpty)
    }

    @Test("a page has a largest length, and what is no filter is passed over")
    func limits() throws {
        #expect(try Self.read([("limit", "100000"), ("color", "red")]).limit == 100)
        #expect(try Self.read([("limit", "0")]).limit == 0)
        #expect(try Self.read([("protected", "true")]).filters == [.init("protected", .equal, ["true"])])
    }

    static let wrong: [([(String, String)], String)] = [
        ([("limit", "x")], "limit param must be an integer"), ([("limit", "-1")], "limit param must be positive"),
        ([("sort_key", "odd")], "Invalid sort key: odd. It must be one of the following: created_at, name."),
        ([("sort_dir", "up")], "Invalid sort direction: up"),
        (
            [("sort_key", "name"), ("sort_dir", "asc"), ("sort_dir", "asc")],
            "Number of sort dirs does not match the number of sort keys"
        ),
        (
            [("protected", "1")],
            "Invalid value '1' for 'protected' filter. Valid values are 'true' or 'false'."
        )
    ]

    @Test("mistakes are told in Glance's words", arguments: wrong)
    func refusals(query: [(String, String)], message: String) {
        let refusal = #expect(throws: APIError.self) { try Self.read(query) }
        #expect(refusal?.status == 400 && refusal?.message == message)
    }

    @Test("where the keys are not told, neither are those that would do")
    func silent() {
        let refusal = #expect(throws: APIError.self) { try Self.read([("sort_key", "odd")], Self.dialect(nil)) }
        #expect(refusal?.message == "Sort key supplied was not valid.")
        let marker = #expect(throws: APIError.self) {
            try Self.dialect().found { throw UnknownMarker(marker: "x") }
        }
        #expect(marker?.message == "no x")
    }
}

@Suite("what is wrong with a body, in Glance's words")
struct GlanceBodyTests {
    @Test("the rule and the place are told where a document has the rule")
    func documents() {
        let wording = GlanceBody.wording("thing")
        #expect(
            wording(BodyFailure(.wrongType(["string"]), 5, path: ["list", "1"])).message
                == "Provided object does not match schema 'thing': 5 is not of type 'string'. "
                + "Failed validating 'type' on instance['list']['1']")
        #expect(
            wording(BodyFailure(.sentence("it is odd"), 5)).message
                == "Provided object does not match schema 'thing': it is odd")
    }
}
