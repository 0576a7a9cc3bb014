import CoordinatorImage
import CoordinatorPlatform
import ProtocolModel
import Testing

/// Explains statements in place of running them; a page, which finds nothing so, asks for all that it could ask for.
private final class ExplainingReader: SQLReader {
    private let reader: any SQLReader
    private(set) var steps: [String] = []

    init(reader: any SQLReader) { self.reader = reader }

    func query<T>(_ sql: String, _ arguments: [any SQLArgument], _ map: (any SQLRow) throws -> T) throws -> [T] {
        steps += try reader.query("EXPLAIN QUERY PLAN " + sql, arguments) { $0.text(3) }
        return []
    }
}

@Suite("image lists as SQL")
struct ImageListSQLTests {
    private static let project = ProjectID(high: 1, low: 1)

    private static func request(_ query: String, as viewer: ImageListing.Viewer = .project(project)) throws
        -> ImageListing
    {
        let pairs = query.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
            return (name: parts[0], value: parts.count == 2 ? parts[1] : "")
        }
        return try ImageListRequest(pairs, viewer: viewer, limitDefault: 25, limitMaximum: 1_000).listing
    }

    @Test("orders are total, in both syntaxes")
    func order() throws {
        func sort(_ query: String) throws -> String {
            try Self.request(query).sort.map { "\($0.field.rawValue) \($0.ascending ? "+" : "-")" }
                .joined(separator: ", ")
        }
        #expect(try sort("") == "created_at -, id -")
        #expect(try sort("sort=name:asc") == "name +, created_at +, id +")
        #expect(try sort("sort=name") == "name -, created_at -, id -")
        #expect(try sort("sort=name:asc,size") == "name +, size -, created_at -, id -")
        #expect(try sort("sort_key=name&sort_key=size&sort_dir=asc") == "name +, size +, created_at +, id +")
        #expect(
            try sort("sort_key=name&sort_dir=asc&sort_key=size&sort_dir=desc") == "name +, size -, created_at -, id -")
        #expect(try sort("sort=id:asc,name:asc") == "id +")
        #expect(try sort("sort=name:asc,name:desc") == "name +, created_at -, id -")
    }

    static let lists: [(String, [String])] = [
        ("a,b", ["a", "b"]), ("\"a,b\",c", ["a,b", "c"]), ("a", ["a"]), ("", [""]), ("a,,b", ["a", "", "b"]),
        ("\"a\\\"b\"", ["a\"b"]), ("a,", ["a", ""])
    ]

    @Test("in: lists with quotes", arguments: lists)
    func inLists(text: String, expected: [String]) throws {
        #expect(try ImageListRequest.members(of: text) == expected)
    }

    @Test("in: lists with quotes in wrong places", arguments: ["\"open", "a\"b\"", "\"a\"b", "\"a\\\""])
    func wrongLists(text: String) {
        #expect(throws: APIError.self) { try ImageListRequest.members(of: text) }
    }

    /// What the engine says it would do.
    private static func plan(
        _ listing: ImageListing, rare: Set<Int> = [], isSharedWithMuch: Bool = false
    ) async throws -> [String] {
        let database = try EmbeddedDatabase(inMemory: .init())
        try await Migrator(PlatformMigrations.all + ImageSlice.migrations).migrate(database, now: 0)
        return try await database.read { reader in
            let page = ImageListSQL(listing, rare: rare, isSharedWithMuch: isSharedWithMuch).page
            let explaining = ExplainingReader(reader: reader)
            _ = try page.rows(Image.table.selection, in: explaining) { _ in }
            return explaining.steps
        }
    }

    private static let marker = Image(id: .init(high: 7, low: 7), owner: project, at: 5)

    @Test(
        "a page of everything is read from an index, in order, with and without a marker",
        arguments: [
            "", "sort=created_at:asc", "sort=name:asc", "sort=name:desc", "sort=status:asc", "sort=size:desc",
            "sort=disk_format:asc", "sort=container_format:asc", "sort=updated_at:asc", "sort=id:asc"
        ], [true, false])
    func administratorPlan(query: String, hasMarker: Bool) async throws {
        var listing = try Self.request(query, as: .administrator(Self.project))
        if hasMarker { listing.marker = Self.marker }
        let steps = try await Self.plan(listing)
        #expect(!steps.isEmpty)
        for step in steps {
            #expect(step.hasPrefix("SEARCH images USING"), "\(step)")
            #expect(step.contains("hidden=?") || step.contains("uuid"), "\(step)")
        }
    }

    @Test("so is what a project sees, branch by branch", arguments: ["", "sort=name:asc", "visibility=all"])
    func projectPlan(query: String) async throws {
        for marker in [nil, Self.marker] {
            var listing = try Self.request(query)
            listing.marker = marker
            let steps = try await Self.plan(listing)
            let searches = steps.filter { $0.contains(" images USING ") }
            #expect(searches.contains { $0.contains("images_own_") })
            #expect(searches.contains { $0.contains("images_seen_") })
            // Of what is shared, only what is shared with this project.
            let joins = steps.indices.filter { steps[$0].hasPrefix("SEARCH image_members") }
            #expect(!joins.isEmpty)
            for join in joins {
                #expect(steps[join + 1].hasPrefix("SEARCH images") && steps[join + 1].contains("(uuid=?)"), "\(steps)")
            }
        }
    }

    static let sharedLists = ["", "member_status=all", "sort=created_at:asc", "visibility=all&member_status=pending"]

    @Test("of what is shared, a page reads the memberships that it shows, in their order", arguments: sharedLists)
    func sharedPlan(query: String) async throws {
        for marker in [nil, Self.marker] {
            var listing = try Self.request(query)
            listing.marker = marker
            let steps = try await Self.plan(listing)
            // What is sorted is a branch's page, never what the page is taken from.
            for sort in steps.indices where steps[sort].contains("TEMP B-TREE") {
                #expect(steps[sort - 1] == "SCAN branch", "\(steps)")
            }
            let index = query.contains("all") && !query.contains("pending") ? "by_time" : "by_status"
            let joins = steps.filter { $0.hasPrefix("SEARCH image_members") }
            #expect(joins.count == (marker == nil ? 1 : 2), "\(steps)")
            #expect(joins.allSatisfy { $0.contains("COVERING INDEX image_members_\(index)") }, "\(joins)")
            if marker != nil {
                #expect(joins.allSatisfy { $0.contains("AND image_created_at") }, "\(joins)")
            }
        }
    }

    @Test("by name: little that is shared is sorted, much is walked in its order")
    func sharedByName() async throws {
        let listing = try Self.request("sort=name:asc")
        let much = try await Self.plan(listing, isSharedWithMuch: true)
        #expect(much.count { $0.contains("TEMP B-TREE") } == 1, "\(much)")
        #expect(much.count { $0.contains("images_seen_name") } == 2, "\(much)")
        #expect(much.contains { $0.hasPrefix("SEARCH image_members") && $0.contains("(image=? AND member=?)") })
        let little = try await Self.plan(listing)
        #expect(little.count { $0.contains("TEMP B-TREE") } == 2, "\(little)")
        #expect(little.contains { $0.contains("images_seen_name") })
    }

    @Test("what few images match is looked up, what many match is asked of each", arguments: ["tag=x", "color=red"])
    func filterPlan(query: String) async throws {
        let listing = try Self.request(query, as: .administrator(nil))
        let index = query.hasPrefix("tag") ? "image_tags_by_tag" : "image_properties_by_value"
        let rare = try await Self.plan(listing, rare: [0])
        #expect(rare.contains { $0.contains(index) }, "\(rare)")
        let common = try await Self.plan(listing)
        #expect(
            common.contains { $0.hasPrefix("SEARCH images USING") && $0.contains("images_list_created") }, "\(common)")
        #expect(common.contains { $0.contains("CORRELATED") }, "\(common)")
        #expect(!common.contains { $0.contains("TEMP B-TREE") }, "\(common)")
    }
}
