import CoordinatorPlatform
import ProtocolModel

/// `/os-keypairs`.
struct KeypairRoutes: Sendable {
    let parts: ComputeParts

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

    private static func schema(_ version: Microversion) -> BodySchema {
        var properties: [String: BodySchema] = [
            "name": .string(version.has(92) ? .keypairName292 : .keypairName, min: 1, max: 255), "public_key": .string()
        ]
        if version.has(2) { properties["type"] = .words(["ssh", "x509"]) }
        if version.has(10) { properties["user_id"] = .string() }
        let required = version.has(92) ? ["name", "public_key"] : ["name"]
        return .object(["keypair": .object(properties, required: required)], required: ["keypair"])
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        let body = try await call.json()
        try Self.schema(call.microversion).check(body)
        let given = body["keypair"]?.objectValue ?? [:]
        let user = try owner(call, named: given["user_id"]?.stringValue, rule: "create")
        if given["type"]?.stringValue == "x509" {
            throw APIError.badRequest(
                "Keypair data is invalid: X.509 certificates are not supported, give an SSH public key.")
        }
        var privateKey: String?
        var line = given["public_key"]?.stringValue ?? ""
        if given["public_key"] == nil {
            let pair = Secrets.sshKey(comment: "Generated-by-Skerry")
            line = pair.publicKey
            privateKey = pair.privateKey
        }
        guard let key = SSHKey.parse(line) else {
            throw APIError.badRequest("Keypair data is invalid: failed to generate fingerprint")
        }
        let keypair = Keypair(
            number: 0, user: user, name: given["name"]?.stringValue ?? "", type: "ssh", fingerprint: key.fingerprint,
            publicKey: line, createdAt: call.now)
        try await insert(keypair, call)
        var out = render(keypair, call.microversion)
        out["user_id"] = .string(user.compact)
        if let privateKey { out["private_key"] = .string(privateKey) }
        return .json(["keypair": .object(out)], status: call.microversion.has(2) ? 201 : 200)
    }

    private func insert(_ keypair: Keypair, _ call: APICall) async throws {
        let store = parts.keypairs
        let limit = parts.settings.quotas["key_pairs"] ?? -1
        try await call.write(target: { _ in keypair.name }) { transaction in
            guard try store.find(keypair.name, user: keypair.user, in: transaction) == nil else {
                throw APIError.conflict("Key pair '\(keypair.name)' already exists.")
            }
            guard try limit < 0 || store.count(user: keypair.user, in: transaction) < limit else {
                throw APIError.forbidden("Quota exceeded, too many key pairs.")
            }
            try store.insert(keypair, in: transaction)
        }
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
        let limit = try version.has(35) ? call.limit(most: parts.settings.pageLimit) : parts.settings.pageLimit
        let marker = version.has(35) ? call.query("marker") : nil
        try call.refuseUnknownQuery(from: 75, known: ["user_id", "limit", "marker"])
        let store = parts.keypairs
        let page = try await call.database.read { reader in
            if let marker, try store.find(marker, user: user, in: reader) == nil {
                throw APIError.badRequest("Marker \(marker) could not be found.")
            }
            return try store.list(user: user, after: marker, limit: limit, in: reader)
        }
        var body: [String: JSON] = [
            "keypairs": .array(page.map { ["keypair": .object(render($0, version))] })
        ]
        let next = call.nextLink(path: "os-keypairs", last: page.last?.name, count: page.count, limit: limit)
        if version.has(35), let next { body["keypairs_links"] = next }
        return .json(.object(body))
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let user = try owner(call, named: call.query("user_id"), rule: "show")
        let name = call.parameter("name")
        let store = parts.keypairs
        guard let keypair = try await call.database.read({ try store.find(name, user: user, in: $0) }) else {
            throw Self.missing(name, user)
        }
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
        let store = parts.keypairs
        try await call.write { transaction in
            guard try store.delete(name, user: user, in: transaction) else { throw Self.missing(name, user) }
        }
        return .empty(call.microversion.has(2) ? 204 : 202)
    }

    private static func missing(_ name: String, _ user: UserID) -> APIError {
        .notFound("Keypair \(name) not found for user \(user.compact)")
    }
}
