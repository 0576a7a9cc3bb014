import CoordinatorPlatform
import ProtocolModel

/// Who says they are whom, and for what: the body of `POST /v3/auth/tokens`.
struct AuthenticationRequest: Sendable {
    enum UserName: Sendable {
        case id(String)
        case name(String, domain: DomainName)
    }
    enum DomainName: Sendable {
        case id(String)
        case name(String)
    }
    enum Scope: Sendable {
        /// Nothing said: the user's default project, if there is one.
        case implicit
        case unscoped
        case project(id: String)
        case projectName(String, domain: DomainName)
        case domain(DomainName)
        case system
    }

    var password: (user: UserName, password: String)?
    var token: String?
    var scope: Scope
}

extension AuthenticationRequest {
    /// - Throws: ``APIError`` 400 for a body of another shape, 401 for methods that are not offered.
    init(_ body: JSON) throws(APIError) {
        let auth = try Self.object(body["auth"], "auth", in: "the request body")
        let identity = try Self.object(auth["identity"], "identity", in: "auth")
        guard case .array(let list)? = identity["methods"] else { throw Self.missing("methods", in: "identity") }
        let methods = list.compactMap(\.stringValue)
        guard !methods.isEmpty, methods.count == list.count else { throw Self.missing("methods", in: "identity") }
        for method in methods {
            switch method {
            case "password":
                let section = try Self.object(identity["password"], "password", in: "identity")
                let user = try Self.object(section["user"], "user", in: "password")
                guard let password = user["password"]?.stringValue else { throw Self.missing("password", in: "user") }
                self.password = (try Self.user(user), password)
            case "token":
                let section = try Self.object(identity["token"], "token", in: "identity")
                guard let id = section["id"]?.stringValue else { throw Self.missing("id", in: "token") }
                token = id
            default:
                throw APIError(status: 401, message: "Attempted to authenticate with an unsupported method.")
            }
        }
        scope = try Self.scope(auth["scope"])
    }

    private static func user(_ user: JSON) throws(APIError) -> UserName {
        if let id = user["id"]?.stringValue { return .id(id) }
        guard let name = user["name"]?.stringValue else { throw missing("name", in: "user") }
        return .name(name, domain: try domain(user["domain"], in: "user"))
    }

    private static func domain(_ domain: JSON?, in target: String) throws(APIError) -> DomainName {
        let domain = try object(domain, "domain", in: target)
        if let id = domain["id"]?.stringValue { return .id(id) }
        guard let name = domain["name"]?.stringValue else { throw missing("name", in: "domain") }
        return .name(name)
    }

    private static func scope(_ scope: JSON?) throws(APIError) -> Scope {
        guard let scope, !scope.isNull else { return .implicit }
        if scope.stringValue == "unscoped" { return .unscoped }
        let kinds = ["project", "domain", "system", "unscoped"].filter { scope[$0] != nil }
        guard case .object = scope, kinds.count == 1 else {
            throw missing("a single project, domain or system", in: "scope")
        }
        switch kinds[0] {
        case "unscoped": return .unscoped
        case "system":
            guard scope["system"]?["all"] == .bool(true) else { throw missing("all", in: "system") }
            return .system
        case "domain": return .domain(try domain(scope["domain"], in: "scope"))
        default:
            let project = try object(scope["project"], "project", in: "scope")
            if let id = project["id"]?.stringValue { return .project(id: id) }
            guard let name = project["name"]?.stringValue else { throw missing("name", in: "project") }
            return .projectName(name, domain: try domain(project["domain"], in: "project"))
        }
    }

    private static func object(_ value: JSON?, _ name: String, in target: String) throws(APIError) -> JSON {
        guard let value, case .object = value else { throw missing(name, in: target) }
        return value
    }

    private static func missing(_ name: String, in target: String) -> APIError {
        .badRequest(
            "Expecting to find \(name) in \(target). The server could not comply with the request since it is either "
                + "malformed or otherwise incorrect. The client is assumed to be in error.")
    }
}

extension IdentityService {
    /// - Returns: The token's text and what it means.
    /// - Throws: ``APIError`` 401, the same for every reason: which part was wrong is nobody's business.
    func logIn(_ request: AuthenticationRequest) async throws -> (text: String, token: ValidToken) {
        let now = clock.now()
        var methods = TokenPayload.Methods()
        var user: User?
        var expires = now + tokens.lifetime
        var parent: AuditID?
        if let (name, password) = request.password {
            let found = Self.find(name, directory.state)
            let isRight = try await hasher.verify(password, against: found?.passwordHash)
            guard let found, isRight, directory.state.isUsable(found) else { throw Self.unauthorized }
            user = found
            methods.insert(.password)
        }
        if let text = request.token {
            guard let old = tokens.validate(text), user == nil || user?.id == old.user.id else {
                throw Self.unauthorized
            }
            user = old.user
            methods.formUnion(old.payload.methods.union(.token))
            // A chain of tokens lives no longer than its first.
            expires = min(expires, old.payload.expiresAt)
            parent = old.payload.parentAudit ?? old.payload.audit
        }
        guard let user else { throw Self.unauthorized }
        let state = directory.state
        let payload = TokenPayload(
            user: user.id, scope: try Self.scope(request.scope, user, state), methods: methods, issuedAt: now,
            expiresAt: expires, audit: .random(), parentAudit: parent)
        guard let token = TokenService.judge(payload, state) else { throw Self.unauthorized }
        return (try tokens.seal(payload), token)
    }

    static let unauthorized = APIError(status: 401, message: ErrorWords.unauthorizedMessage)

    private static func find(_ name: AuthenticationRequest.UserName, _ state: IdentityState) -> User? {
        switch name {
        case .id(let text): UserID(text).flatMap { state.users[$0] }
        case .name(let name, let domain): find(domain, state).flatMap { state.user(named: name, in: $0.key) }
        }
    }

    private static func find(_ name: AuthenticationRequest.DomainName, _ state: IdentityState) -> Domain? {
        switch name {
        case .id(let key): state.domains[key]
        case .name(let name): state.domain(named: name)
        }
    }

    private static func scope(
        _ scope: AuthenticationRequest.Scope, _ user: User, _ state: IdentityState
    ) throws(APIError) -> TokenPayload.Scope {
        switch scope {
        case .unscoped: return .unscoped
        case .system: return .system
        case .implicit:
            // A default project that is gone or closed to the user leaves the token unscoped.
            guard let id = user.defaultProject.flatMap({ ProjectID($0) }), let project = state.projects[id],
                state.isUsable(project), !state.roles(of: user.id, at: .project(id)).isEmpty
            else { return .unscoped }
            return .project(id)
        case .project(let text):
            guard let id = ProjectID(text) else { throw unauthorized }
            return .project(id)
        case .projectName(let name, let domain):
            guard let domain = find(domain, state), let project = state.project(named: name, in: domain.key) else {
                throw unauthorized
            }
            return .project(project.id)
        case .domain(let name):
            guard let domain = find(name, state) else { throw unauthorized }
            return .domain(domain.key)
        }
    }
}
