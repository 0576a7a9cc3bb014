import CoordinatorCompute
import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("limits of projects")
struct ComputeQuotaTests {
    /// Limits, what is asked for at least and at most, what is granted or the refusal.
    static let grants: [([String: Int], Int, Int, Int?, String)] = [
        ([:], 1, 1, 1, ""), ([:], 2, 20, 8, ""), (["instances": -1, "cores": -1, "ram": -1], 500, 500, 500, ""),
        (["cores": 8], 1, 5, 2, ""), (["ram": 1536], 1, 5, 1, ""),
        (
            ["instances": 2], 1, 1, nil,
            "Quota exceeded for instances: Requested 1, but already used 2 of 2 instances"
        ),
        (
            ["instances": 3, "ram": 1100], 2, 2, nil,
            "Quota exceeded for instances, ram: Requested 2, 1024, but already used 2, 1024 of 3, 1100 instances, ram"
        ),
        (["metadata_items": 0], 1, 1, nil, "Maximum number of metadata items exceeds 0")
    ]

    @Test("as many as fit, else a refusal that names each limit", arguments: grants)
    func granted(limits: [String: Int], least: Int, most: Int, granted: Int?, refusal: String) async throws {
        let database = try await ComputeFixture.database()
        // Two of ours, each with two vCPUs and 512 MiB, and one of somebody else.
        try await ComputeFixture.insert(
            [
                ComputeFixture.server(1), ComputeFixture.server(2),
                ComputeFixture.server(3, project: ComputeFixture.other)
            ], into: database)
        let quotas = ComputeQuotas(settings: ComputeSettings(), servers: ServerStore())
        let version = Microversion(2, 1)
        var command = try CreateServerBody.read(
            ["server": ["name": "x", "flavorRef": "1", "imageRef": .string(ComputeFixture.image.spec.id.text)]],
            version
        ).command(version, password: "", reservationID: "")
        command.minCount = least
        command.maxCount = most
        if limits["metadata_items"] != nil { command.metadata = ["a": "b"] }
        do {
            let count = try await database.write { [command] transaction in
                for (name, limit) in limits {
                    try quotas.ledger.set(limit, of: name, for: ComputeFixture.project, in: transaction)
                }
                return try quotas.grant(
                    command, flavor: ComputeFixture.flavor, project: ComputeFixture.project, in: transaction)
            }
            #expect(count == granted)
        } catch let error as APIError {
            #expect(granted == nil && error.status == 403 && error.message == refusal, "\(error)")
        }
    }

    @Test("keypairs are counted by user, and limited by the project's limit")
    func keypairs() async throws {
        let database = try await ComputeFixture.database()
        var settings = ComputeSettings()
        settings.quotas["key_pairs"] = 2
        let quotas = ComputeQuotas(settings: settings, servers: ServerStore())
        func isRefused(_ count: Int, of project: ProjectID?) async -> Bool {
            do {
                try await database.read { try quotas.check(keypairs: count, of: project, in: $0) }
                return false
            } catch { return (error as? APIError)?.message == "Quota exceeded, too many key pairs." }
        }
        #expect(await !isRefused(1, of: nil))
        #expect(await isRefused(2, of: nil))
        try await database.write { try quotas.ledger.set(3, of: "key_pairs", for: ComputeFixture.project, in: $0) }
        #expect(await !isRefused(2, of: ComputeFixture.project))
        #expect(await isRefused(3, of: ComputeFixture.project))
        #expect(await isRefused(2, of: ComputeFixture.other))
    }
}

@Suite("flavors and keypairs in the database")
struct CatalogStoreTests {
    static let flavors: [Flavor] = (1...9).map { number in
        var flavor = Flavor(snapshot: ComputeFixture.flavor, createdAt: Int64(number))
        flavor.snapshot.id = "f\(number)"
        flavor.snapshot.name = "flavor \(10 - number)"
        flavor.snapshot.memoryMiB = number * 128
        flavor.rxtxFactor = Double(number % 3) + 0.5
        flavor.isPublic = number % 3 != 0
        return flavor
    }

    static func database() async throws -> EmbeddedDatabase {
        let database = try await ComputeFixture.database()
        try await database.write { transaction in
            for flavor in flavors { try FlavorStore().insert(flavor, in: transaction) }
            for id in ["f3", "f6"] {
                let isNew = try FlavorStore().grant(ComputeFixture.project, to: id, in: transaction)
                #expect(isNew)
            }
        }
        return database
    }

    static let lists: [(FlavorStore.Scope, [ListQuery.Filter], [ListQuery.Sort], String)] = [
        (.all, [], [.init("flavorid")], "123456789"),
        (.alike(isPublic: true), [], [.init("flavorid", isAscending: false)], "875421"),
        (.alike(isPublic: false), [], [.init("flavorid")], "369"),
        (.open(to: ComputeFixture.project), [], [.init("flavorid")], "12345678"),
        (.open(to: ComputeFixture.other), [], [.init("flavorid")], "124578"),
        (.open(to: nil), [], [.init("name")], "875421"),
        (.all, [.init("memory_mb", .greaterOrEqual, ["1000"])], [.init("flavorid")], "89"),
        (.all, [], [.init("rxtx_factor"), .init("flavorid", isAscending: false)], "963741852")
    ]

    @Test("lists, whole and in pages", arguments: lists)
    func listed(
        scope: FlavorStore.Scope, filters: [ListQuery.Filter], sorts: [ListQuery.Sort], expected: String
    ) async throws {
        let database = try await Self.database()
        for limit in [nil, 1, 2, 4] as [Int?] {
            var query = ListQuery()
            query.filters = filters
            query.sorts = sorts
            query.limit = limit
            var seen = ""
            while true {
                let page = try await database.read { [query] in try FlavorStore().list(query, scope, in: $0) }
                seen += page.map { String($0.id.dropFirst()) }.joined()
                guard let limit, page.count == limit, let last = page.last else { break }
                query.marker = last.id
            }
            #expect(seen == expected, "by \(limit ?? 0)")
        }
    }

    @Test("a flavor is read as it was written, and changes only where it can")
    func flavorRow() async throws {
        let database = try await Self.database()
        let store = FlavorStore()
        var flavor = try #require(try await database.read { try store.find("f2", in: $0) })
        #expect(flavor.snapshot == Self.flavors[1].snapshot && flavor.rxtxFactor == 2.5 && flavor.isPublic)
        flavor.description = "small"
        flavor.snapshot.extraSpecs = ["a": "b"]
        flavor.snapshot.vcpus = 64
        try await database.write { [flavor] in try store.update(flavor, in: $0) }
        let read = try await database.read { try store.find("f2", in: $0) }
        #expect(read?.description == "small" && read?.snapshot.extraSpecs == ["a": "b"] && read?.snapshot.vcpus == 2)
    }

    @Test("access is given once, taken once, and goes with the flavor and with the project")
    func access() async throws {
        let database = try await Self.database()
        let store = FlavorStore()
        let project = ComputeFixture.project
        let results = try await database.write { transaction in
            [
                try store.grant(project, to: "f3", in: transaction),
                try store.revoke(project, from: "f3", in: transaction),
                try store.revoke(project, from: "f3", in: transaction),
                try store.grant(ComputeFixture.other, to: "f6", in: transaction)
            ]
        }
        #expect(results == [false, true, false, true])
        #expect(
            try await database.read { try store.access(to: "f6", in: $0) }
                == [project.compact, ComputeFixture.other.compact])
        try await database.write { try store.revokeAll(of: project, in: $0) }
        #expect(try await database.read { try store.hasAccess(project, to: "f6", in: $0) } == false)
        #expect(try await database.write { try store.delete("f6", in: $0) })
        #expect(try await database.read { try $0.count("SELECT COUNT(*) FROM flavor_access") } == 0)
    }

    @Test("keypairs are their user's, unique by name, and paged by name")
    func keypairs() async throws {
        let database = try await ComputeFixture.database()
        let store = KeypairStore()
        let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f me"
        let other = UserID(high: 2, low: 3)
        var pairs: [Keypair] = []
        for name in ["c", "a", "b", "a"] {
            let pair = try await Keyring.make(name, line: line, user: ComputeFixture.user, at: 5)
            #expect(pair.privateKey == nil)
            pairs.append(pair.keypair)
        }
        pairs.append(try await Keyring.make("a", line: nil, user: other, at: 6).keypair)
        let made = try await database.write { [pairs] transaction in
            try pairs.map { try store.insert($0, in: transaction) }
        }
        #expect(made == [true, true, true, false, true])
        var query = ListQuery()
        query.limit = 2
        let first = try await database.read { [query] in try store.list(query, user: ComputeFixture.user, in: $0) }
        #expect(first.map(\.name) == ["a", "b"] && first.allSatisfy { $0.publicKey == line && $0.createdAt == 5 })
        query.marker = "b"
        let second = try await database.read { [query] in try store.list(query, user: ComputeFixture.user, in: $0) }
        #expect(second.map(\.name) == ["c"])
        #expect(try await database.write { try store.delete("a", user: ComputeFixture.user, in: $0) })
        #expect(try await database.write { try store.delete("a", user: ComputeFixture.user, in: $0) } == false)
        try await database.write { try store.deleteAll(of: ComputeFixture.user, in: $0) }
        #expect(try await database.read { try store.count(user: ComputeFixture.user, in: $0) } == 0)
        #expect(try await database.read { try store.find("a", user: other, in: $0) }?.createdAt == 6)
    }

    @Test("a pair that is made has both halves; a line that is no key is refused")
    func makes() async throws {
        let pair = try await Keyring.make("x", line: nil, user: ComputeFixture.user, at: 1)
        #expect(pair.privateKey?.hasPrefix("-----BEGIN RSA PRIVATE KEY-----") == true)
        #expect(pair.keypair.publicKey.hasPrefix("ssh-rsa AAAAB3NzaC1yc2E") && pair.keypair.fingerprint.count == 47)
        await #expect(throws: APIError.badRequest("Keypair data is invalid: failed to generate fingerprint")) {
            try await Keyring.make("x", line: "", user: ComputeFixture.user, at: 1)
        }
    }
}

@Suite("text of the compute API")
struct ComputeTextTests {
    static let cases: [(String, TextRule, accepted: [String], refused: [String])] = [
        ("name", .resourceName, ["web", "a b", "ü", ""], [" web", "web ", "a\nb", "a\u{0}"]),
        ("host name", .hostname, ["ab", "web-1", "9a"], ["", "a", "-a", "a-", "a.b", "ü1"]),
        ("full host name", .fqdn, ["ab", "web.example.org"], ["", "web.", ".web", "web..org", "a.b"]),
        ("key", .key, ["a", "hw:cpu_policy", "a b.c-d"], ["", "a/b", "ü", String(repeating: "a", count: 256)]),
        ("tag", .serverTag, ["a", "a b", "ü"], ["a,b", "a/b"]),
        ("keypair", .keypairName, ["my key_1-a"], ["a@b", "a.b", " a", "ü"]),
        ("keypair from 2.92", .keypairNameAtLength, ["a@b.org", "my key"], [" a", "a ", "a/b"]),
        ("flavor", .flavorID, ["1", "m1.nano", "a b"], [" 1", "1 ", "a/b", "ü"]),
        ("base 64", .base64, ["", "Zg==", "Zm9v\nYmFy"], ["Zg", "%%"])
    ]

    @Test("what is taken and what is not", arguments: cases)
    func rules(name: String, rule: TextRule, accepted: [String], refused: [String]) {
        for text in accepted { #expect(rule.accepts(text), "\(name): \(text)") }
        for text in refused { #expect(!rule.accepts(text), "\(name): \(text)") }
    }
}

@Suite("rendered servers")
struct RenderedServersTests {
    static let stamp = RenderedServers.Stamp(generation: 1, hostStatus: "UP", surroundings: 7)
    static let shape = RenderedServers.Shape(band: 1, isAdmin: false, baseURL: "https://a")

    static func id(_ number: Int) -> ServerID { ServerID(high: 9, low: UInt64(number)) }

    @Test("found again only by the same stamp and shape")
    func stamps() {
        let rendered = RenderedServers(limit: 8)
        let shape = rendered.number(of: Self.shape)
        rendered.keep([1], of: Self.id(1), shape: shape, stamp: Self.stamp, revision: 3)
        func found(_ stamp: RenderedServers.Stamp, _ shape: Int) -> [UInt8]? {
            rendered.find(Self.id(1), shape: shape, stamp: stamp, revision: 3)
        }
        #expect(found(Self.stamp, shape) == [1])
        #expect(found(.init(generation: 2, hostStatus: "UP", surroundings: 7), shape) == nil)
        #expect(found(.init(generation: 1, hostStatus: "DOWN", surroundings: 7), shape) == nil)
        #expect(found(.init(generation: 1, hostStatus: "UP", surroundings: 8), shape) == nil)
        var other = Self.shape
        other.isAdmin = true
        #expect(found(Self.stamp, rendered.number(of: other)) == nil)
        #expect(rendered.number(of: Self.shape) == shape)
    }

    @Test("the same revision answers without a look at anything else, another one does not")
    func revisions() {
        let rendered = RenderedServers(limit: 8)
        let shape = rendered.number(of: Self.shape)
        rendered.keep([1], of: Self.id(1), shape: shape, stamp: Self.stamp, revision: 3)
        let line = ServerLine(id: Self.id(1), generation: 1, node: ComputeFixture.node, name: "", hostname: "")
        func found(_ line: ServerLine, _ revision: Int, _ status: String = "UP") -> [[UInt8]?] {
            rendered.find([line], hostStatus: [ComputeFixture.node: status], shape: shape, revision: revision)
        }
        #expect(found(line, 3) == [[1]])
        #expect(found(line, 4) == [nil])
        #expect(found(line, 3, "DOWN") == [nil])
        var changed = line
        changed.generation = 2
        #expect(found(changed, 3) == [nil])
        // Once looked up under the new revision, it answers there.
        #expect(rendered.find(Self.id(1), shape: shape, stamp: Self.stamp, revision: 4) == [1])
        #expect(found(line, 4) == [[1]])
    }

    @Test("what is not asked for goes, what is asked for stays, and neither grows without end")
    func bounds() {
        let rendered = RenderedServers(limit: 8)
        let shape = rendered.number(of: Self.shape)
        func find(_ number: Int) -> [UInt8]? {
            rendered.find(Self.id(number), shape: shape, stamp: Self.stamp, revision: nil)
        }
        for number in 1...40 {
            rendered.keep([UInt8(number)], of: Self.id(number), shape: shape, stamp: Self.stamp, revision: nil)
            #expect(find(1) == [1], "asked for again and again")
        }
        let kept = (1...40).filter { find($0) != nil }.count
        #expect((4...9).contains(kept), "\(kept)")
    }

    @Test("shapes that clients make up do not pile up, and an old number never means a new shape")
    func shapes() {
        let rendered = RenderedServers(limit: 8)
        var numbers: Set<Int> = []
        for index in 0..<200 {
            var shape = Self.shape
            shape.baseURL = "https://host-\(index)"
            #expect(numbers.insert(rendered.number(of: shape)).inserted)
        }
    }
}
