import NIOHTTP1
import ProtocolModel

/// One request on its way to its answer. For one task.
final class SwiftCall {
    let service: SwiftService
    let request: ObjectRequest
    let target: SwiftTarget
    /// Microseconds since 1970.
    let now: Int64
    private(set) var authorization: Authorization
    /// What a signature in the URL opens.
    private(set) var signed: TempURL?
    /// Containers that were looked up, since several questions are asked of them.
    private var containers: [[UInt8]: ContainerRecord?] = [:]

    var store: any ObjectStore { service.store }
    var headers: HTTPHeaders { request.headers }

    /// - Parameter who: Where it is known already.
    init(
        service: SwiftService, request: ObjectRequest, target: SwiftTarget, now: Int64, who: TokenVerdict? = nil
    ) {
        self.service = service
        self.request = request
        self.target = target
        self.now = now
        authorization = Authorization(who, account: target.account)
    }

    /// Finds out who asks.
    func identify() async throws {
        if request.query.has("temp_url_sig") || request.query.has("temp_url_expires") {
            signed = try await TempURL.check(self)
            return
        }
        guard let token = request.header("x-auth-token") ?? request.header("x-storage-token"), !token.isEmpty else {
            return
        }
        // A token that is none is no token: what is for everybody is for its holder too.
        let verdict = try await service.gate.verdict(on: token)
        authorization = Authorization(verdict, account: target.account)
    }

    func authorization(for account: String) -> Authorization {
        account.isSameName(as: target.account) ? authorization : Authorization(authorization.who, account: account)
    }

    // MARK: What is there

    func container(_ name: ContainerName) async throws -> ContainerRecord? {
        // By octets: what one container allows is not to be taken for another's.
        let key = Array("\(name.account)/\(name.name)".utf8)
        if let known = containers[key] { return known }
        let record = try await store.container(name)
        containers[key] = .some(record)
        return record
    }

    /// The object, unless its time is over.
    func object(_ name: ObjectName) async throws -> ObjectRecord? {
        guard let record = try await store.object(name), !record.attributes.isExpired(at: now) else { return nil }
        return record
    }

    // MARK: Who may

    func authorizeAccount(_ kind: AccessKind) throws {
        guard authorization.allows(kind, list: nil, referrer: nil) else { throw refusal() }
    }

    /// Containers are changed by their owners alone, whatever their lists say.
    func authorizeContainer(_ kind: AccessKind, _ name: ContainerName) async throws {
        let list = kind == .read ? try await container(name)?.metadata["x-container-read"] : nil
        guard
            authorization.allows(kind, list: list, referrer: request.header("referer"), isListing: true)
        else { throw refusal() }
    }

    func authorizeObject(_ kind: AccessKind, in name: ContainerName) async throws {
        if let signed, signed.opens(name, kind) { return }
        let header = kind == .read ? "x-container-read" : "x-container-write"
        let list = try await container(name)?.metadata[header]
        let authorization = authorization(for: name.account)
        guard signed == nil else { throw refusal() }
        guard authorization.allows(kind, list: list, referrer: request.header("referer")) else {
            throw refusal(account: name.account)
        }
    }

    func mayRead(_ name: ContainerName) async -> Bool {
        (try? await authorizeObject(.read, in: name)) != nil
    }

    func refusal(account: String? = nil) -> SwiftRefusal {
        if signed != nil { return SwiftRefusal(401, "401 Unauthorized: Temp URL invalid\n") }
        return authorization.refusal(account: account ?? target.account)
    }

    // MARK: Routes

    func route() async throws -> ObjectResponse {
        if signed != nil { try checkSigned() }
        if let object = target.objectName { return try await routeObject(object) }
        if let container = target.containerName { return try await routeContainer(container) }
        return try await routeAccount()
    }

    /// What is signed is one object: nothing that goes on to others with the same right.
    private func checkSigned() throws {
        guard target.object != nil else { throw refusal() }
        for header in ["x-object-manifest", "x-copy-from", "x-symlink-target"] where headers.contains(name: header) {
            throw SwiftRefusal(400, "The header '\(header)' is not allowed in this tempurl")
        }
        for item in ["extract-archive", "bulk-delete"] where request.query.has(item) { throw refusal() }
        if ["put", "delete"].contains(request.query["multipart-manifest"]) { throw refusal() }
    }

    private func routeAccount() async throws -> ObjectResponse {
        if let answer = try await bulk() { return answer }
        switch request.method {
        case "GET": return try await getAccount()
        case "HEAD": return try await getAccount(isHead: true)
        case "POST": return try await postAccount()
        case "PUT": return try await putAccount()
        case "DELETE": return try await deleteAccount()
        default: throw SwiftRefusal(405, headers: ["Allow": "GET, HEAD, POST, PUT, DELETE, OPTIONS"])
        }
    }

    private func routeContainer(_ container: ContainerName) async throws -> ObjectResponse {
        if let answer = try await bulk() { return answer }
        switch request.method {
        case "GET": return try await getContainer(container)
        case "HEAD": return try await headContainer(container)
        case "POST": return try await postContainer(container)
        case "PUT": return try await putContainer(container)
        case "DELETE": return try await deleteContainer(container)
        default: throw SwiftRefusal(405, headers: ["Allow": "GET, HEAD, POST, PUT, DELETE, OPTIONS"])
        }
    }

    private func routeObject(_ object: ObjectName) async throws -> ObjectResponse {
        if let answer = try await bulk() { return answer }
        switch request.method {
        case "GET", "HEAD": return try await getObject(object)
        case "POST": return try await postObject(object)
        case "PUT": return try await putObject(object)
        case "COPY": return try await copyObject(object)
        case "DELETE": return try await deleteObject(object)
        default: throw SwiftRefusal(405, headers: ["Allow": "GET, HEAD, POST, PUT, COPY, DELETE, OPTIONS"])
        }
    }
}
