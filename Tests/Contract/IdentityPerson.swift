import CoordinatorIdentity
import CoordinatorPlatform
import HTTPTypes
import ProtocolModel
import Testing

/// Somebody with a token, calling the identity API.
struct IdentityPerson: Sendable {
    let cloud: IdentityCloud
    let token: String

    static func admin(_ cloud: IdentityCloud) async -> IdentityPerson {
        IdentityPerson(cloud: cloud, token: await cloud.adminToken())
    }
    static func demo(_ cloud: IdentityCloud) async -> IdentityPerson {
        IdentityPerson(cloud: cloud, token: await cloud.demoToken())
    }

    /// - Parameter path: Below `/identity/v3/`.
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSON? = nil, headers: [String: String] = [:]
    ) async -> Answer {
        await cloud.harness.send(
            method, "/identity/v3/\(path)", bytes: body?.serialize() ?? [], token: token, headers: headers)
    }

    func get(_ path: String) async -> Answer { await send(.get, path) }
    func post(_ path: String, _ body: JSON) async -> Answer { await send(.post, path, body) }
    func patch(_ path: String, _ body: JSON) async -> Answer { await send(.patch, path, body) }
    func delete(_ path: String) async -> Answer { await send(.delete, path) }

    /// Looks at a token.
    func validate(_ subject: String, _ query: String = "", headers: [String: String] = [:]) async -> Answer {
        await send(
            .get, "auth/tokens\(query)", headers: headers.merging(["X-Subject-Token": subject]) { $1 })
    }

    var isAlive: Bool { (try? cloud.identity.tokens.authenticate(token: token)) != nil }
}

extension IdentityCloud {
    /// Logs in.
    func authenticate(_ identity: JSON, scope: JSON? = nil, query: String = "") async -> Answer {
        var auth: [String: JSON] = ["identity": identity]
        if let scope { auth["scope"] = scope }
        return await harness.post("/identity/v3/auth/tokens\(query)", ["auth": .object(auth)], as: nil)
    }

    func authenticate(token: String, scope: JSON?) async -> Answer {
        await authenticate(["methods": ["token"], "token": ["id": .string(token)]], scope: scope)
    }

    func authenticate(application credential: JSON) async -> Answer {
        await authenticate(["methods": ["application_credential"], "application_credential": credential])
    }

    func userKey(_ name: String) throws -> String {
        try #require(identity.directory.state.user(named: name, in: "default")).key
    }
    func projectKey(_ name: String) throws -> String {
        try #require(identity.directory.state.project(named: name, in: "default")).key
    }
    func roleKey(_ name: String) throws -> String {
        try #require(identity.directory.state.role(named: name)).key
    }

    /// A second look at the same database, as after a restart.
    func restarted() async throws -> IdentityService {
        try await IdentityService(database: harness.database, clock: clock)
    }
}

extension Answer {
    var message: String { json["error"]?["message"]?.stringValue ?? "" }
    var subjectToken: String { header("X-Subject-Token") ?? "" }
}
