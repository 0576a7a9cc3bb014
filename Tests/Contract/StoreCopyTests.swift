import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel
import Testing
import TestsSupportStore

/// A cloud that moved from the engine under test to the embedded one, and back.
@Suite("copies of a store")
struct StoreCopyTests {
    private static func cloud(on database: any StoreEngine, clock: ManualClock) async throws -> APIHarness {
        let identity = try await IdentityService(
            database: database, clock: clock,
            hasher: PasswordHasher(pool: BlockingPool(threads: 1, waiting: 64), logN: 4))
        return APIHarness(
            services: [IdentityAPI.make(identity)], database: database, authenticator: identity.tokens, clock: clock)
    }

    /// What the cloud answers to its administrator.
    private static func answers(_ harness: APIHarness, token: String) async -> [JSON] {
        var answers: [JSON] = []
        for path in ["projects", "users", "roles", "domains", "auth/catalog", "role_assignments?include_names"] {
            answers.append(await harness.send(.get, "/identity/v3/\(path)", bytes: [], token: token).json)
        }
        return answers
    }

    private static func create(_ project: String, _ harness: APIHarness, token: String) async -> Int {
        let body: JSON = ["project": ["name": .string(project), "domain_id": "default"]]
        return await harness.send(.post, "/identity/v3/projects", bytes: body.serialize(), token: token).status
    }

    @Test("a cloud answers the same after it moved to another engine and back, to the same token, and goes on")
    func thereAndBack() async throws {
        let old = try await IdentityCloud()
        let token = await old.adminToken()
        #expect(await Self.create("before", old.harness, token: token) == 201)
        let wanted = await Self.answers(old.harness, token: token)

        let migrations = PlatformMigrations.all + IdentityMigrations.all
        let copy = StoreCopy(migrations)
        let embedded = try EmbeddedDatabase(inMemory: .init())
        let moved = try await copy.run(from: old.harness.database, to: embedded, now: 0)
        #expect(moved.contains(.init(table: "identity_projects", rows: 3)), "\(moved)")
        let there = try await Self.cloud(on: embedded, clock: old.clock)
        #expect(await Self.answers(there, token: token) == wanted)
        #expect(await Self.create("there", there, token: token) == 201)
        let wantedThen = await Self.answers(there, token: token)

        let empty = try await TestStore.database([])
        let back = try await copy.run(from: embedded, to: empty, now: 0)
        #expect(back.contains(.init(table: "identity_projects", rows: 4)), "\(back)")
        let again = try await Self.cloud(on: empty, clock: old.clock)
        #expect(await Self.answers(again, token: token) == wantedThen)
        #expect(await Self.create("back", again, token: token) == 201)
        #expect(await Self.create("back", again, token: token) == 409)
    }
}
