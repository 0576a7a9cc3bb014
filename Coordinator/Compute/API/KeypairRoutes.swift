import CoordinatorPlatform
import ProtocolModel

/// `/os-keypairs`.
struct KeypairRoutes: Sendable {
    let parts: ComputeParts
    private var keyring: Keyring { Keyring(parts: parts) }

    init(parts: ComputeParts) { self.parts = parts }

    var all: [Route] {
        [
            Route(.get, "/v2.1/os-keypairs", handler: list).askingCompute("os-keypairs:index"),
            Route(.post, "/v2.1/os-keypairs", action: "compute.keypair.create", handler: create)
                .askingCompute("os-keypairs:create"),
            Route(.get, "/v2.1/os-keypairs/{name}", handler: show).askingCompute("os-keypairs:show"),
            Route(.delete, "/v2.1/os-keypairs/{name}", action: "compute.keypair.delete", handler: delete)
                .askingCompute("os-keypairs:delete")
        ]
    }

    /// Whose keypairs: one's own, from 2.10 on for administrators anybody's.
    private func owner(_ call: APICall, named name: String?, rule: String) throws -> UserID {
        let caller = try call.requireCaller()
        var user = caller.user
        if let name, call.microversion.has(10) {
            guard let other = UserID(name) else { throw APIError.badRequest("User ID \(name) is not a valid user.") }
            user = other
        }
        try call.authorizeCompute("os-keypairs:\(rule)", Policy.Target(user: user))
        return user
    }

    private struct Draft: Sendable {
        var name = ""
        var publicKey: String?
        var type = "ssh"
        var user: String?

        static let schema = BodySchema(
            blank: Draft(),
            [
                .required("name", \.name, .text(1...255, .keypairName), until: 91),
                .required("name", \.name, .text(1...255, .keypairNameAtLength), since: 92),
                .optional("public_key", \.publicKey, .text(), until: 91),
                .required(
                    "public_key", \.publicKey, BodyFormat<String>.text().map { text, _ in String?(text) }, since: 92),
                .given("type", \.type, .word(of: ["ssh", "x509"]), since: 2),
                .optional("user_id", \.user, .text(), since: 10)
            ])
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        let draft = try Draft.schema.read(
            try await call.json(), under: "keypair", call.microversion, wording: Nova.body)
        let user = try owner(call, named: draft.user, rule: "create")
        let keyring = keyring
        let project = call.caller?.project
        try await call.database.read { try keyring.requireRoom(for: draft.name, user: user, project: project, in: $0) }
        let (keypair, privateKey) =
            draft.type == "x509"
            ? try await Keyring.makeCertificate(
                draft.name, certificate: draft.publicKey, user: user, at: call.now)
            : try await Keyring.make(draft.name, line: draft.publicKey, user: user, at: call.now)
        try await call.write(target: { _ in keypair.name }) { try keyring.add(keypair, project: project, in: $0) }
        var out = render(keypair, call.microversion)
        out["user_id"] = .string(user.compact)
        if let privateKey { out["private_key"] = .string(privateKey) }
        return .json(["keypair": .object(out)], status: call.microversion.has(2) ? 201 : 200)
    }

    private func render(_ keypair: Keypair, _ version: Microversion) -> [String: JSON] {
        var out: [String: JSON] = [
            "name": .string(keypair.name), "public_key": .string(keypair.publicKey),
            "fingerprint": .string(keypair.fingerprint)
        ]
        if version.has(2) { out["type"] = .string(keypair.type) }
        return out
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        let version = call.microversion
        let user = try owner(call, named: call.query("user_id"), rule: "index")
        let isPaged = version.has(35)
        let dialect = Nova.list(call, most: parts.settings.pageLimit, isPaged: isPaged, isNamed: true)
        let query = try dialect.read(Nova.query(call, isPaged: isPaged), isFilter: { $0 == "user_id" })
        let keyring = keyring
        let keypairs = try await call.database.read { reader in
            try dialect.found { try keyring.list(query, user: user, in: reader) }
        }
        let page = ListPage(collection: "keypairs", identities: keypairs.map(\.name), query: query)
        return dialect.answer(page, keypairs.map { ["keypair": .object(render($0, version))] }, call)
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let user = try owner(call, named: call.query("user_id"), rule: "show")
        let name = call.parameter("name")
        let keyring = keyring
        let keypair = try await call.database.read { try keyring.find(name, user: user, in: $0) }
        var out = render(keypair, call.microversion)
        out["user_id"] = .string(user.compact)
        out["id"] = JSON(keypair.number)
        out["created_at"] = .string(Timestamp.microsWithoutZone(keypair.createdAt))
        out["deleted"] = false
        out["deleted_at"] = .null
        out["updated_at"] = .null
        return .json(["keypair": .object(out)])
    }

    @Sendable private func delete(_ call: APICall) async throws -> APIResponse {
        let user = try owner(call, named: call.query("user_id"), rule: "delete")
        let name = call.parameter("name")
        let keyring = keyring
        try await call.write { try keyring.delete(name, user: user, in: $0) }
        return .empty(call.microversion.has(2) ? 204 : 202)
    }
}
