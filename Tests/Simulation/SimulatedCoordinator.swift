import CoordinatorDaemon
import CoordinatorFleet
import CoordinatorIdentity
import CoordinatorPlatform
import HTTPTypes
import Logging
import NIOCore
import ProtocolLink
import ProtocolModel

/// The real coordinator without its HTTP sockets, again and again over one database. What only its daemon's tickers do
/// is done by ``tick()``.
final class SimulatedCoordinator {
    let database: EmbeddedDatabase
    private let wall: any WallClock
    private let files: StateFiles
    private let authority: CertificateAuthority
    private let certificate: ServerCertificate
    private let group: any EventLoopGroup
    private var run: Run?
    private var token = ""
    /// Of whoever asks.
    private(set) var project = ""

    private struct Run {
        var life: Life
        var cloud: Cloud
        var pipeline: RequestPipeline
        var server: LinkServer
        /// When each periodic work is due next, microseconds since 1970.
        var due: [String: Int64] = [:]
    }

    static let password = "correct horse battery staple"

    init(folder: String, wall: any WallClock, group: any EventLoopGroup) async throws {
        self.wall = wall
        self.group = group
        files = StateFiles(root: folder)
        database = try EmbeddedDatabase(inMemory: .init())
        let now = wall.now()
        authority = try CertificateAuthority.create(at: now / 1_000_000)
        certificate = try authority.issueServerCertificate(names: ["127.0.0.1"], at: now / 1_000_000)
        _ = try await Migrator(Cloud.migrations).migrate(database, now: now)
        let identity = try await IdentityService(database: database, clock: wall)
        try await IdentityBootstrap(
            publicURL: "https://127.0.0.1:8700",
            admin: .init(user: "admin", password: Self.password, project: "admin", role: "admin")
        ).run(on: identity)
    }

    var isRunning: Bool { run.map { !$0.life.isOver } ?? false }
    var hasDied: Bool { run?.life.isOver ?? false }
    /// Where agents dial.
    var port: Int? { run?.server.port }

    /// - Parameters:
    ///   - steps: After how many it dies.
    ///   - onDeath: Called at the moment of its death.
    /// - Throws: When it died before it served anybody.
    func start(steps: Int?, onDeath: @escaping @Sendable () -> Void) async throws {
        guard run == nil else { return }
        let life = Life(steps: steps, onDeath: onDeath)
        let mortal = MortalDatabase(base: database, life: life)
        let logger = SimulationLog.logger("coordinator")
        let identity = try await IdentityService(database: mortal, clock: wall)
        let base = database
        let cloud = try Cloud(
            database: mortal, identity: identity, files: files, authority: authority, configuration: Configuration(),
            clock: wall, revision: { base.commits }, logger: logger)
        try await cloud.image.service.recover()
        var settings = RequestPipeline.Settings()
        settings.clock = wall
        let pipeline = RequestPipeline(
            services: cloud.services, authenticator: identity.tokens, database: mortal, policies: cloud.policies,
            settings: settings, logger: logger)
        var listen = LinkServer.Configuration()
        listen.host = "127.0.0.1"
        listen.port = 0
        let server = try await LinkServer.start(
            listen, authority: authority, certificate: certificate, service: cloud.fleet.link, group: group,
            logger: logger)
        run = Run(life: life, cloud: cloud, pipeline: pipeline, server: server)
        if token.isEmpty { try await logIn() }
    }

    /// From now on the network slice refuses what agents say of ports, or takes it again.
    func setRefusal(_ isOn: Bool) async throws {
        try await database.write { transaction in
            try transaction.execute("DROP TRIGGER IF EXISTS simulated_refusal")
            guard isOn else { return }
            try transaction.execute(
                """
                CREATE TRIGGER simulated_refusal BEFORE UPDATE OF status ON network_ports
                WHEN NEW.status = 'ACTIVE' AND OLD.status <> 'ACTIVE'
                BEGIN SELECT RAISE(ABORT, 'refused'); END
                """)
        }
    }

    /// From now on the plans lack everything, as in a database of before; or they have it again. Agents hear it with their
    /// next session.
    func setForgetful(_ isOn: Bool) async throws {
        try await database.write { transaction in
            if isOn {
                try transaction.execute("CREATE TABLE simulated_forgotten AS SELECT * FROM plan_entries")
                try transaction.execute("DELETE FROM plan_entries")
            } else {
                try transaction.execute("INSERT INTO plan_entries SELECT * FROM simulated_forgotten")
                try transaction.execute("DROP TABLE simulated_forgotten")
            }
            try transaction.execute("UPDATE nodes SET plan_epoch = plan_epoch + 1")
        }
    }

    /// What nodes are not sent of their plans, and statuses that were refused.
    func setAside() async throws -> (entries: Int, statuses: Int) {
        try await database.read { reader in
            (
                try reader.count("SELECT COUNT(*) FROM plan_set_aside"),
                try reader.count("SELECT COUNT(*) FROM refused_statuses")
            )
        }
    }

    func die(after steps: Int) { run?.life.shorten(to: steps) }

    /// Takes a dead one's tasks away, so that a new one can begin.
    func bury() async {
        guard let run, run.life.isOver else { return }
        await run.server.stop(grace: .zero)
        self.run = nil
    }

    func end() async throws {
        run?.life.end()
        await bury()
        try database.close()
    }

    /// What the daemon's tickers do; called once a second of the simulation.
    func tick() async {
        guard let run, !run.life.isOver else { return }
        run.cloud.fleet.look()
        await run.cloud.fleet.tick()
        _ = await run.cloud.fleet.spreadOnce()
        try? await run.cloud.network.upkeep(on: MortalDatabase(base: database, life: run.life), at: wall.now())
        let now = wall.now()
        let mortal = MortalDatabase(base: database, life: run.life)
        for periodic in run.cloud.compute.periodics where (run.due[periodic.name] ?? 0) <= now {
            self.run?.due[periodic.name] = now + Int64(periodic.everySeconds) * 1_000_000
            try? await mortal.write { try periodic.run(now, $0) }
        }
        let watchdogs = run.cloud.blockStorage.watchdogs
        try? await mortal.write { for watchdog in watchdogs { try watchdog.expire(at: now, in: $0) } }
    }

    // MARK: Requests

    struct Answer: Sendable {
        var status: Int
        var json: JSON
        var token: String?
    }

    /// - Returns: `nil` when the coordinator is dead or died over it: what became of the request is not known.
    func send(
        _ method: HTTPRequest.Method, _ target: String, _ body: JSON? = nil, bytes: [UInt8] = [],
        asOperator: Bool = false
    ) async -> Answer? {
        guard let run, !run.life.isOver else { return nil }
        var headers = HTTPFields()
        headers[.contentType] = bytes.isEmpty ? "application/json" : "application/octet-stream"
        if !asOperator, !token.isEmpty, let name = HTTPField.Name("X-Auth-Token") { headers[name] = token }
        let response = await run.pipeline.respond(
            to: IncomingRequest(
                method: method, target: target, headers: headers, body: .bytes(body?.serialize() ?? bytes),
                isTrusted: asOperator))
        guard !run.life.isOver else { return nil }
        var content: [UInt8] = []
        if case .bytes(let bytes) = response.body { content = bytes }
        return Answer(
            status: response.status, json: (try? JSON.parse(content)) ?? .null,
            token: HTTPField.Name("X-Subject-Token").flatMap { response.headers[$0] })
    }

    private func logIn() async throws {
        let answer = await send(
            .post, "/identity/v3/auth/tokens",
            [
                "auth": [
                    "identity": [
                        "methods": ["password"],
                        "password": [
                            "user": [
                                "name": "admin", "domain": ["id": "default"], "password": .string(Self.password)
                            ]
                        ]
                    ],
                    "scope": ["project": ["name": "admin", "domain": ["id": "default"]]]
                ]
            ])
        guard let token = answer?.token else { throw Failure("no token: \(String(describing: answer))") }
        self.token = token
        project = answer?.json["token"]?["project"]?["id"]?.stringValue ?? ""
    }

    func joinToken(uses: Int) async throws -> JoinToken {
        let answer = await send(.post, "/skerry/v1/tokens", ["uses": JSON(uses)], asOperator: true)
        guard let text = answer?.json["token"]?.stringValue, let token = JoinToken(text) else {
            throw Failure("no join token: \(String(describing: answer))")
        }
        return token
    }
}

/// A simulation that could not be set up.
struct Failure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
