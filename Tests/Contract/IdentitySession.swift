import CoordinatorIdentity
import CoordinatorPlatform
import HTTPTypes
import ProtocolModel

/// A client of the identity API that is logged in.
struct IdentitySession: Sendable {
    let cloud: IdentityCloud
    let token: String

    /// The administrator of a fresh cloud.
    static func admin() async throws -> IdentitySession {
        let cloud = try await IdentityCloud()
        return IdentitySession(cloud: cloud, token: await cloud.adminToken())
    }

    /// - Parameter path: Below `/identity/v3/`.
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSON? = nil, headers: [String: String] = [:]
    ) async -> Answer {
        await cloud.harness.send(
            method, "/identity/v3/\(path)", bytes: body?.serialize() ?? [], token: token, headers: headers)
    }

    /// Makes something and gives back its identifier; empty where that failed.
    func make(_ kind: String, _ members: JSON, at path: String? = nil) async -> String {
        await send(.post, path ?? "\(kind)s", [kind: members]).json[kind]?["id"]?.stringValue ?? ""
    }

    /// The status and the message of a refusal.
    func refusal(_ method: HTTPRequest.Method, _ path: String, _ body: JSON? = nil) async -> String {
        let answer = await send(method, path, body)
        return "\(answer.status) \(answer.json["error"]?["message"]?.stringValue ?? "")"
    }

    /// The values of a member in a listed collection.
    func list(_ name: String, _ path: String? = nil, _ member: String = "name") async -> [String] {
        await send(.get, path ?? name).json[name]?.arrayValue?.compactMap { $0[member]?.stringValue } ?? []
    }

    /// The same client with another user's token.
    func user(_ name: String, _ password: String, scope: JSON?) async -> IdentitySession {
        IdentitySession(cloud: cloud, token: await cloud.token(name, password, scope: scope) ?? "")
    }
}

extension IdentityCloud {
    /// The same cloud with another face, as the daemon serves it beside other slices.
    init(_ other: IdentityCloud, serving identity: IdentityService) {
        self.identity = identity
        harness = APIHarness(
            services: [IdentityAPI.make(identity)], database: other.harness.database, authenticator: identity.tokens,
            clock: other.clock)
    }
}
