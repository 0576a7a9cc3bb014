import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel

/// A fresh identity service, as `skerry-coordinator init` leaves it.
struct IdentityCloud: Sendable {
    let identity: IdentityService
    let harness: APIHarness
    var clock: ManualClock { harness.clock }

    init(settings: IdentityService.Settings = IdentityService.Settings()) async throws {
        let database = try await APIHarness.database(migrations: IdentityMigrations.all)
        let clock = ManualClock()
        identity = try await IdentityService(
            database: database, clock: clock,
            hasher: PasswordHasher(pool: BlockingPool(threads: 2, waiting: 64), logN: 4),
            settings: settings)
        try await Self.bootstrap.run(on: identity)
        harness = APIHarness(
            services: [IdentityAPI.make(identity)], database: database, authenticator: identity.tokens, clock: clock)
    }

    /// The same cloud after a restart.
    init(_ identity: IdentityService, after old: IdentityCloud) {
        self.identity = identity
        harness = APIHarness(
            services: [IdentityAPI.make(identity)], database: old.harness.database, authenticator: identity.tokens,
            clock: old.clock)
    }

    /// A coordinator of a cloud that others have, too.
    init(_ identity: IdentityService, over database: EmbeddedDatabase, clock: ManualClock) {
        self.identity = identity
        harness = APIHarness(
            services: [IdentityAPI.make(identity)], database: database, authenticator: identity.tokens, clock: clock)
    }

    static let bootstrap = IdentityBootstrap(
        publicURL: "https://cloud.test:8700",
        admin: .init(user: "admin", password: "secret", project: "admin", role: "admin"),
        demo: .init(user: "demo", password: "demo-secret", project: "demo", role: "member"))

    /// The body of a log-in with a password.
    static func login(_ user: String, _ password: String, scope: JSON?) -> JSON {
        let person: JSON = [
            "name": .string(user), "password": .string(password), "domain": ["id": "default"]
        ]
        var auth: [String: JSON] = ["identity": ["methods": ["password"], "password": ["user": person]]]
        if let scope { auth["scope"] = scope }
        return ["auth": .object(auth)]
    }

    static func project(_ name: String) -> JSON {
        ["project": ["name": .string(name), "domain": ["id": "default"]]]
    }

    func token(_ user: String, _ password: String, scope: JSON?) async -> String? {
        await harness.post("/identity/v3/auth/tokens", Self.login(user, password, scope: scope), as: nil)
            .header("X-Subject-Token")
    }

    func adminToken() async -> String { await token("admin", "secret", scope: Self.project("admin")) ?? "" }
    func demoToken() async -> String { await token("demo", "demo-secret", scope: Self.project("demo")) ?? "" }
}
