import CoordinatorCompute
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("lists of servers in the database")
struct ServerListTests {
    /// Small, so that runs repeat.
    struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    static func servers(_ generator: inout Generator) -> [ServerRecord] {
        (UInt64(1)...60).map { number in
            let isOurs = Int.random(in: 0..<4, using: &generator) > 0
            var server = ComputeFixture.server(
                number, ["alpha", "beta", "gamma"].randomElement(using: &generator) ?? "",
                project: isOurs ? ComputeFixture.project : ComputeFixture.other)
            server.number = Int64(number)
            server.createdAt = Int64.random(in: 1...6, using: &generator)
            server.hostname = server.name
            server.keyName = Bool.random(using: &generator) ? "key" : nil
            server.lockedBy = Bool.random(using: &generator) ? "owner" : nil
            server.state.vm = [.active, .stopped, .error].randomElement(using: &generator) ?? .active
            server.state.task = Bool.random(using: &generator) ? .spawning : nil
            server.launchedAt = Bool.random(using: &generator) ? Int64.random(in: 1...3, using: &generator) : nil
            server.deletedAt = Int.random(in: 0..<5, using: &generator) == 0 ? 9 : nil
            return server
        }
    }

    /// Every filter and what it means.
    static let filters: [(ListQuery.Filter, @Sendable (ServerRecord) -> Bool)] = [
        (.init("deleted", .equal, ["false"]), { $0.deletedAt == nil }),
        (.init("deleted", .equal, ["true"]), { $0.deletedAt != nil }),
        (.init("locked", .equal, ["true"]), { $0.lockedBy != nil }),
        (.init("locked", .equal, ["false"]), { $0.lockedBy == nil }),
        (.init("vm_state", .equal, ["active", "error"]), { $0.state.vm == .active || $0.state.vm == .error }),
        (.init("task_state", .equal, ["spawning"]), { $0.state.task == .spawning }),
        (.init("key_name", .equal, ["key"]), { $0.keyName == "key" }),
        (.init("launched_at", .equal, ["2"]), { $0.launchedAt == 2 }),
        (.init("image", .equal, [ComputeFixture.image.spec.id.compact]), { _ in true }),
        (.init("image", .equal, ["nope"]), { _ in false }), (.init("power_state", .equal, ["x"]), { _ in false }),
        (.init("updated_at", .greaterOrEqual, ["100"]), { _ in true }),
        (.init("uuid", .equal, [ServerID(high: 9, low: 7).text]), { $0.id.low == 7 }),
        (.init("nothing", .equal, []), { _ in false })
    ]

    /// Sort keys with the order that they mean; absent values are the smallest.
    static let sorts: [(String, @Sendable (ServerRecord, ServerRecord) -> Int)] = [
        ("created_at", { compare($0.createdAt, $1.createdAt) }), ("display_name", { compare($0.name, $1.name) }),
        ("key_name", { compare($0.keyName ?? "", $1.keyName ?? "") }),
        ("launched_at", { compare($0.launchedAt ?? 0, $1.launchedAt ?? 0) }),
        ("vm_state", { compare($0.state.vm.rawValue, $1.state.vm.rawValue) })
    ]

    static func compare<Value: Comparable>(_ left: Value, _ right: Value) -> Int {
        left < right ? -1 : left == right ? 0 : 1
    }

    @Test("pages give what a plain filter and sort give, in any mixture", arguments: 1...12)
    func oracle(seed: Int) async throws {
        var generator = Generator(state: UInt64(seed))
        let database = try await ComputeFixture.database()
        let all = Self.servers(&generator)
        try await ComputeFixture.insert(all, into: database)
        let store = ServerListStore(network: AddressesOnly())
        var found = 0
        for _ in 0..<20 {
            var query = ServerQuery()
            query.scope = Bool.random(using: &generator) ? .project(ComputeFixture.project) : .everybody
            let filters = (0..<Int.random(in: 0...2, using: &generator)).compactMap { _ in
                Self.filters.randomElement(using: &generator)
            }
            let sorts = (0..<Int.random(in: 1...3, using: &generator)).compactMap { _ in
                Self.sorts.randomElement(using: &generator)
            }.map { (name: $0.0, compare: $0.1, isAscending: Bool.random(using: &generator)) }
            query.list.filters = filters.map(\.0)
            query.list.sorts = sorts.map { .init($0.name, isAscending: $0.isAscending) }
            query.list.limit = Int.random(in: 1...20, using: &generator)
            query.wantsNames = Bool.random(using: &generator)
            let expected = all.filter { server in
                (query.scope == .everybody || server.project == ComputeFixture.project)
                    && filters.allSatisfy { $0.1(server) }
            }.sorted { left, right in
                for sort in sorts {
                    let order = sort.compare(left, right)
                    if order != 0 { return sort.isAscending ? order < 0 : order > 0 }
                }
                return sorts[0].isAscending ? left.number < right.number : left.number > right.number
            }.map(\.id)
            let seen = try await Self.walk(query, store, database)
            #expect(seen == expected, "\(query.list)")
            found += seen.count
        }
        #expect(found > 50, "a run in which nothing matches shows nothing")
    }

    /// All pages.
    private static func walk(
        _ query: ServerQuery, _ store: ServerListStore, _ database: EmbeddedDatabase
    ) async throws -> [ServerID] {
        var query = query
        var seen: [ServerID] = []
        while true {
            let page = try await database.read { [query] in try store.page(query, in: $0) }
            seen += page.map(\.id)
            guard page.count == query.list.limit, let last = page.last else { return seen }
            query.list.marker = last.id.text
        }
    }

    private func listed(_ change: (inout ServerQuery) -> Void) async throws -> [String] {
        let database = try await ComputeFixture.database()
        let servers = [("web-1", "front"), ("web-2", nil), ("db", "the data")].enumerated().map { index, server in
            var record = ComputeFixture.server(UInt64(index + 1), server.0)
            record.hostname = "host-\(server.0)"
            record.description = server.1
            return record
        }
        try await ComputeFixture.insert(servers, into: database)
        var query = ServerQuery()
        query.list.sorts = [.init("created_at", isAscending: false)]
        query.list.limit = 10
        change(&query)
        return try await database.read { [query] in
            try ServerListStore(network: AddressesOnly()).page(query, in: $0).map(\.name)
        }
    }

    @Test("names, host names, descriptions and addresses are searched by patterns")
    func patterns() async throws {
        #expect(try await listed { $0.name = NamePattern("^web") } == ["web-2", "web-1"])
        #expect(try await listed { $0.hostname = NamePattern("-db$") } == ["db"])
        #expect(try await listed { $0.description = NamePattern("data|front") } == ["db", "web-1"])
        #expect(try await listed { $0.address = NamePattern("0\\.2$") } == ["web-2"])
        #expect(
            try await listed {
                $0.address = NamePattern("0\\.2$")
                $0.addressFamily = .ipv6
            } == [])
        #expect(
            try await listed {
                $0.name = NamePattern("web")
                $0.list.limit = 1
            } == ["web-2"])
        #expect(
            try await listed {
                $0.name = NamePattern("web")
                $0.list.marker = ServerID(high: 9, low: 2).text
            } == ["web-1"])
    }

    @Test("nothing is asked for, nothing is given")
    func empty() async throws { #expect(try await listed { $0.list.limit = 0 } == []) }

    @Test("names are read only where they are shown or searched")
    func bare() async throws {
        #expect(try await listed { $0.wantsNames = false } == ["", "", ""])
        #expect(
            try await listed {
                $0.wantsNames = false
                $0.name = NamePattern("db")
            } == ["db"])
    }

    @Test("a marker that the caller cannot see is as unknown as one that is nowhere")
    func markers() async throws {
        let database = try await ComputeFixture.database()
        try await ComputeFixture.insert(
            [ComputeFixture.server(1), ComputeFixture.server(2, project: ComputeFixture.other)], into: database)
        let store = ServerListStore(network: AddressesOnly())
        for marker in [ServerID(high: 9, low: 2).text, ServerID(high: 9, low: 3).text, "nonsense"] {
            await #expect(throws: UnknownMarker(marker: marker)) {
                try await database.read { reader in
                    var query = ServerQuery()
                    query.scope = .project(ComputeFixture.project)
                    query.list.marker = marker
                    return try store.page(query, in: reader)
                }
            }
        }
    }
}
