import CoordinatorPlatform
import HTTPTypes
import Logging
import NIOCore
import ProtocolModel
import Synchronization
import TestsSupportStore

/// Services over a database of their own, called without sockets.
///
///     let harness = try await APIHarness(services: [imageAPI], migrations: ImageSlice.migrations)
///     let response = await harness.get("/image/v2/images", as: .member)
///     #expect(response.status == 200)
struct APIHarness: Sendable {
    let database: any StoreEngine
    let pipeline: RequestPipeline
    let clock: ManualClock

    /// - Parameter authenticator: `nil` knows the tokens of ``TestCaller``.
    init(
        services: [ServiceAPI], database: any StoreEngine, authenticator: (any Authenticator)? = nil,
        policies: PolicyBook? = nil, clock: ManualClock = ManualClock()
    ) {
        self.database = database
        self.clock = clock
        var settings = RequestPipeline.Settings()
        settings.publicURL = "https://cloud.test:8700"
        settings.clock = clock
        settings.onAnswer = { service, route, status, trace in
            PolicyCoverage.check(service, route, status: status, trace: trace)
            FieldCoverage.visited(service, route)
        }
        var logger = Logger(label: "contract")
        logger.logLevel = .error
        pipeline = RequestPipeline(
            services: services, authenticator: authenticator ?? TestCaller.authenticator, database: database,
            policies: policies, settings: settings, logger: logger)
    }

    init(
        services: [ServiceAPI], migrations: [Migration], authenticator: (any Authenticator)? = nil,
        clock: ManualClock = ManualClock()
    ) async throws {
        let database = try await Self.database(migrations: migrations)
        self.init(services: services, database: database, authenticator: authenticator, clock: clock)
    }

    /// A database of its own with the platform's tables and these.
    static func database(migrations: [Migration]) async throws -> any StoreEngine {
        try await TestStore.database(PlatformMigrations.all + migrations)
    }

    func get(_ target: String, as caller: TestCaller? = .admin, _ headers: [String: String] = [:]) async -> Answer {
        await send(.get, target, as: caller, headers: headers)
    }

    func post(
        _ target: String, _ body: JSON?, as caller: TestCaller? = .admin, _ headers: [String: String] = [:]
    ) async -> Answer { await send(.post, target, body, as: caller, headers: headers) }

    func put(
        _ target: String, _ body: JSON?, as caller: TestCaller? = .admin, _ headers: [String: String] = [:]
    ) async -> Answer { await send(.put, target, body, as: caller, headers: headers) }

    func patch(
        _ target: String, _ body: JSON?, as caller: TestCaller? = .admin, _ headers: [String: String] = [:]
    ) async -> Answer { await send(.patch, target, body, as: caller, headers: headers) }

    func delete(_ target: String, as caller: TestCaller? = .admin, _ headers: [String: String] = [:]) async -> Answer {
        await send(.delete, target, as: caller, headers: headers)
    }

    func send(
        _ method: HTTPRequest.Method, _ target: String, _ body: JSON? = nil, as caller: TestCaller? = .admin,
        headers: [String: String] = [:]
    ) async -> Answer {
        await send(method, target, bytes: body?.serialize() ?? [], token: caller?.token, headers: headers)
    }

    /// The raw form: any bytes, any token.
    func send(
        _ method: HTTPRequest.Method, _ target: String, bytes: [UInt8], token: String?, headers: [String: String] = [:]
    ) async -> Answer {
        var fields = HTTPFields()
        for (name, value) in headers { if let name = HTTPField.Name(name) { fields[name] = value } }
        if let token, let name = HTTPField.Name("X-Auth-Token") { fields[name] = token }
        if !bytes.isEmpty, fields[.contentType] == nil { fields[.contentType] = "application/json" }
        return await FieldCoverage.hold(bytes) { [fields] in
            await Answer(
                pipeline.respond(
                    to: IncomingRequest(method: method, target: target, headers: fields, body: .bytes(bytes))))
        }
    }
}

/// What came back.
struct Answer: Sendable {
    let status: Int
    let headers: HTTPFields
    let bytes: [UInt8]

    init(_ response: OutgoingResponse) async {
        status = response.status
        headers = response.headers
        switch response.body {
        case .none: bytes = []
        case .bytes(let value): bytes = value
        case .stream(let chunks):
            var collected: [UInt8] = []
            do { for try await chunk in chunks { collected.append(contentsOf: chunk.readableBytesView) } } catch {}
            bytes = collected
        }
    }

    /// The body; `null` where it is no JSON.
    var json: JSON { (try? JSON.parse(bytes)) ?? .null }
    func header(_ name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }
}

/// The usual people, with tokens that ``authenticator`` knows. Two projects, so that tests can look across the fence.
enum TestCaller: String, CaseIterable, Sendable {
    /// The administrator, in ``project``.
    case admin
    case manager
    case member
    case reader
    /// A member of ``otherProject``.
    case stranger

    static let project = ProjectID(high: 0x1111_1111_1111_4111, low: 0x8111_1111_1111_1111)
    static let otherProject = ProjectID(high: 0x2222_2222_2222_4222, low: 0x8222_2222_2222_2222)

    var token: String { "token-of-\(rawValue)" }

    var caller: Caller {
        let number = UInt64(Self.allCases.firstIndex(of: self) ?? 0) + 1
        let roles: Set<String> =
            switch self {
            case .admin: ["admin", "manager", "member", "reader"]
            case .manager: ["manager", "member", "reader"]
            case .member, .stranger: ["member", "reader"]
            case .reader: ["reader"]
            }
        return Caller(
            user: UserID(high: 0x3333_3333_3333_4333, low: 0x8333_3333_3333_0000 + number), userName: rawValue,
            userDomain: "default", scope: .project(self == .stranger ? Self.otherProject : Self.project),
            projectName: self == .stranger ? "other" : "project", roles: roles)
    }

    static var authenticator: any Authenticator { FixedAuthenticator() }

    private struct FixedAuthenticator: Authenticator {
        func authenticate(token: String) throws -> Caller? { TestCaller.allCases.first { $0.token == token }?.caller }
    }
}

/// A clock that stands still until it is told to move.
final class ManualClock: WallClock {
    private let time: Mutex<Int64>

    /// Starts at 2026-01-01T00:00:00Z.
    init(_ start: Int64 = 1_767_225_600_000_000) { time = Mutex(start) }

    func now() -> Int64 { time.withLock { $0 } }
    func advance(by duration: Duration) {
        time.withLock {
            $0 += duration.components.seconds * 1_000_000 + duration.components.attoseconds / 1_000_000_000_000
        }
    }
}
