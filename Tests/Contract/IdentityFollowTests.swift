import CoordinatorIdentity
import CoordinatorPlatform
import Glibc
import HTTPTypes
import ProtocolModel

import Testing
import TestsSupportRandomness

/// Two coordinators over one database, each with its own connections and its own copy in memory.
@Suite("identity: two coordinators")
struct IdentityFollowTests {
    /// Both, and who administers the cloud through either.
    private struct Pair: Sendable {
        let sides: [IdentityCloud]
        let admins: [IdentitySession]
        let folder: String

        var one: IdentitySession { admins[0] }
        var other: IdentitySession { admins[1] }

        init(_ name: String, settings: IdentityService.Settings = IdentityService.Settings()) async throws {
            folder = "/tmp/skerry-identity-\(name)-\(getpid())"
            TestFiles.remove(folder)
            try TestFiles.makeFolder(folder)
            let path = "\(folder)/cloud.db"
            let clock = ManualClock()
            var sides: [IdentityCloud] = []
            for number in 0..<2 {
                let database = try EmbeddedDatabase(path: path)
                if number == 0 {
                    try await Migrator(PlatformMigrations.all + IdentityMigrations.all).migrate(database, now: 0)
                }
                let identity = try await IdentityService(
                    database: database, clock: clock,
                    hasher: PasswordHasher(pool: BlockingPool(threads: 2, waiting: 64), logN: 4), settings: settings)
                if number == 0 { try await IdentityCloud.bootstrap.run(on: identity) }
                sides.append(IdentityCloud(identity, over: database, clock: clock))
            }
            self.sides = sides
            let token = await sides[0].adminToken()
            admins = sides.map { IdentitySession(cloud: $0, token: token) }
        }

        func follow() async throws { for side in sides { try await side.identity.follow() } }

        /// Names of what either copy has otherwise than the rows, revocations' moments aside.
        func differences() async throws -> [String] {
            try await follow()
            let fresh = IdentityRestartTests.forgettingMoments(
                try await sides[0].restarted().directory.state)
            return sides.flatMap {
                IdentityRestartTests.differences(
                    IdentityRestartTests.forgettingMoments($0.identity.directory.state), fresh)
            }
        }

        func close() {
            for side in sides { try? side.harness.database.close() }
            TestFiles.remove(folder)
        }
    }

    @Test("what one changes, the other acts by at its next look")
    func follows() async throws {
        let pair = try await Pair("follows")
        defer { pair.close() }
        let user = await pair.one.make("user", ["name": "eve", "password": "first"])
        let project = await pair.one.make("project", ["name": "p"])
        let reader = try pair.sides[0].roleKey("reader")
        let grant = "projects/\(project)/users/\(user)/roles/\(reader)"
        #expect(await pair.one.send(.put, grant).status == 204)
        try await pair.follow()
        let eve = await pair.sides[1].token("eve", "first", scope: IdentityCloud.project("p")) ?? ""
        func isAlive() throws -> [Bool] {
            try pair.sides.map { try $0.identity.tokens.authenticate(token: eve) != nil }
        }
        #expect(try isAlive() == [true, true])

        #expect(await pair.one.send(.delete, grant).status == 204)
        #expect(try isAlive() == [false, true])
        try await pair.follow()
        #expect(try isAlive() == [false, false])

        #expect(await pair.other.send(.put, grant).status == 204)
        try await pair.follow()
        #expect(try isAlive() == [true, true])
        let gone = await pair.other.send(.delete, "auth/tokens", headers: ["X-Subject-Token": eve])
        #expect(gone.status == 204)
        #expect(try isAlive() == [true, false])
        try await pair.follow()
        #expect(try isAlive() == [false, false])

        #expect(await pair.one.send(.patch, "users/\(user)", ["user": ["password": "second"]]).status == 200)
        try await pair.follow()
        #expect(await pair.sides[1].token("eve", "first", scope: nil) == nil)
        #expect(await pair.sides[1].token("eve", "second", scope: nil) != nil)
        #expect(await pair.other.send(.delete, "users/\(user)").status == 204)
        try await pair.follow()
        #expect(await pair.sides[0].token("eve", "second", scope: nil) == nil)
        #expect(try await pair.differences() == [])
    }

    @Test("a change of a group of many is one row to read, for whoever follows")
    func members() async throws {
        let pair = try await Pair("members")
        defer { pair.close() }
        let group = await pair.one.make("group", ["name": "g"])
        var users: [String] = []
        for name in ["a", "b", "c"] { users.append(await pair.one.make("user", ["name": .string(name)])) }
        for user in users { #expect(await pair.one.send(.put, "groups/\(group)/users/\(user)").status == 204) }
        #expect(try await pair.differences() == [])
        #expect(await pair.other.send(.delete, "groups/\(group)/users/\(users[1])").status == 204)
        #expect(try await pair.differences() == [])
        let changes = try await pair.sides[0].harness.database.read {
            try $0.query("SELECT item FROM feed_changes WHERE item LIKE 'member%' ORDER BY number") { $0.text(0) }
        }
        #expect(changes == [users[0], users[2], users[1]].map { "member \($0) \(group)" })
    }

    @Test("an edit within another loses nothing: the outer one is refused")
    func nested() async throws {
        let pair = try await Pair("nested")
        defer { pair.close() }
        let group = await pair.one.make("group", ["name": "g"])
        let users = [await pair.one.make("user", ["name": "a"]), await pair.one.make("user", ["name": "b"])]
            .compactMap { UserID($0) }
        let identity = pair.sides[0].identity
        await #expect(throws: StoreError.self) {
            try await pair.sides[0].harness.database.write { transaction in
                try identity.edit(in: transaction) { outer in
                    try outer.addMember(users[0], to: group)
                    try identity.edit(in: transaction) { inner in try inner.addMember(users[1], to: group) }
                }
            }
        }
        // One after the other is well.
        try await pair.sides[0].harness.database.write { transaction in
            for user in users { try identity.edit(in: transaction) { edit in try edit.addMember(user, to: group) } }
        }
        #expect(try await pair.differences() == [])
    }

    @Test("what only memory knows decides nothing: rules hold against what another wrote a moment ago")
    func rules() async throws {
        let pair = try await Pair("rules")
        defer { pair.close() }
        // The other one has not looked since.
        let project = await pair.one.make("project", ["name": "p"])
        #expect(await pair.other.send(.post, "projects", ["project": ["name": "p"]]).status == 409)
        let child: JSON = ["name": "c", "parent_id": .string(project)]
        #expect(await pair.one.send(.delete, "projects/\(project)").status == 204)
        #expect(await pair.other.send(.post, "projects", ["project": child]).status == 400)

        let roles = [await pair.one.make("role", ["name": "a"]), await pair.one.make("role", ["name": "b"])]
        try await pair.follow()
        #expect(await pair.one.send(.put, "roles/\(roles[0])/implies/\(roles[1])").status == 201)
        #expect(
            await pair.other.refusal(.put, "roles/\(roles[1])/implies/\(roles[0])").contains(
                "imply each other in a ring"))
        #expect(await pair.one.send(.post, "roles", ["role": ["name": "Auditor"]]).status == 201)
        #expect(await pair.other.send(.post, "roles", ["role": ["name": "AUDITOR"]]).status == 409)

        let regions = [await pair.one.make("region", ["id": "x"]), await pair.one.make("region", ["id": "y"])]
        try await pair.follow()
        let above: JSON = ["region": ["parent_region_id": .string(regions[0])]]
        #expect(await pair.one.send(.patch, "regions/y", above).status == 200)
        #expect(await pair.other.send(.patch, "regions/x", ["region": ["parent_region_id": "y"]]).status == 400)
        #expect(await pair.one.send(.delete, "regions/x").status == 204)
        let endpoint: JSON = ["service_id": "?", "interface": "public", "url": "http://x", "region_id": "y"]
        #expect(await pair.other.send(.post, "endpoints", ["endpoint": endpoint]).status == 400)
        #expect(try await pair.differences() == [])
    }

    @Test("wrong passwords at either count together")
    func lockout() async throws {
        var settings = IdentityService.Settings()
        settings.security.lockoutFailureAttempts = 4
        let pair = try await Pair("lockout", settings: settings)
        defer { pair.close() }
        for turn in 0..<4 { #expect(await pair.sides[turn % 2].token("demo", "guess", scope: nil) == nil) }
        try await pair.follow()
        for side in pair.sides { #expect(await side.token("demo", "demo-secret", scope: nil) == nil) }
        #expect(try await pair.differences() == [])
    }

    @Test("a new token key at one opens tokens at the other")
    func keys() async throws {
        let pair = try await Pair("keys")
        defer { pair.close() }
        pair.sides[0].clock.advance(by: .seconds(25 * 3600))
        try await pair.sides[0].identity.renewTokenKeys()
        let token = await pair.sides[0].adminToken()
        #expect(try pair.sides[1].identity.tokens.authenticate(token: token) == nil)
        try await pair.follow()
        #expect(try pair.sides[1].identity.tokens.authenticate(token: token) != nil)
    }

    @Test("one that was away for too long reads everything again")
    func gap() async throws {
        let pair = try await Pair("gap")
        defer { pair.close() }
        let group = await pair.one.make("group", ["name": "g"])
        try await pair.sides[0].harness.database.write {
            _ = try ChangeFeed.prune(before: .max, limit: 10_000, in: $0)
        }
        #expect(pair.sides[1].identity.directory.state.groups[group] == nil)
        try await pair.follow()
        #expect(pair.sides[1].identity.directory.state.groups[group]?.name == "g")
        #expect(try await pair.differences() == [])
    }

    @Test("whatever is changed where, and whoever looks when, both copies are the rows", arguments: 1...6)
    func random(seed: Int) async throws {
        let pair = try await Pair("random-\(seed)")
        defer { pair.close() }
        var random = SeededGenerator(seed: UInt64(seed))
        var done = 0
        for step in 0..<120 {
            let admin = pair.admins[random.below(2)]
            if random.isHit(percent: 20) { try await admin.cloud.identity.follow() }
            let next = Self.step(admin.cloud.identity.directory.state, &random)
            let answer = await admin.send(next.method, next.path, next.body)
            if (200..<300).contains(answer.status) { done += 1 }
            #expect(answer.status < 500, "step \(step) of seed \(seed)")
            if step % 30 == 29 { #expect(try await pair.differences() == [], "step \(step) of seed \(seed)") }
        }
        #expect(done > 60, "most of it was carried out")
    }

    private static func pick(_ keys: [String], _ random: inout SeededGenerator) -> String {
        keys.isEmpty ? "none" : keys.sorted()[random.below(keys.count)]
    }

    private typealias Step = (method: HTTPRequest.Method, path: String, body: JSON?)

    /// One change of something there is, or of something new.
    private static func step(_ state: IdentityState, _ random: inout SeededGenerator) -> Step {
        let user = pick(state.users.values.filter { $0.name != "admin" }.map(\.key), &random)
        let project = pick(state.projects.values.filter { $0.name != "admin" }.map(\.key), &random)
        let group = pick(Array(state.groups.keys), &random)
        let role = pick(state.roles.values.filter { $0.name != "admin" }.map(\.key), &random)
        let actor = random.isHit(percent: 50) ? "users/\(user)" : "groups/\(group)"
        let region = "regions/r\(random.below(3))"
        let name = JSON.string("n\(random.below(40))")
        let parent = random.isHit(percent: 50) ? JSON.string(project) : .null
        let grant = "projects/\(project)/\(actor)/roles/\(role)", member = "groups/\(group)/users/\(user)"
        switch random.below(18) {
        case 0, 1: return (.post, "users", ["user": ["name": name, "default_project_id": .string(project)]])
        case 2, 3: return (.post, "projects", ["project": ["name": name, "parent_id": parent]])
        case 4, 5: return (.post, "groups", ["group": ["name": name]])
        case 6: return (.post, "roles", ["role": ["name": name]])
        case 7, 8: return (.put, grant, nil)
        case 9: return (.delete, grant, nil)
        case 10, 11: return (.put, member, nil)
        case 12: return (.delete, member, nil)
        case 13: return (.patch, "users/\(user)", ["user": ["enabled": .bool(random.isHit(percent: 60))]])
        case 14: return (.put, "domains/default/config", ["config": ["ldap": ["url": name]]])
        case 15: return (.delete, "users/\(user)/tokens", nil)
        case 16: return (.put, region, ["region": [:]])
        default:
            let paths = ["users/\(user)", "projects/\(project)?cascade=true", "groups/\(group)", region]
            return (.delete, paths[random.below(paths.count)], nil)
        }
    }
}
