import CoordinatorPlatform
import ProtocolModel

/// Who says they are whom, and for what: the body of `POST /v3/auth/tokens`.
struct AuthenticationRequest: Sendable {
    enum Scope: Sendable {
        /// Nothing said: the user's default project, if there is one.
        case implicit
        case unscoped
        case project(id: String)
        case projectName(String, domain: DomainName)
        case domain(DomainName)
        case system
        case trust(id: String)
    }

    /// One for each method, in the order given.
    var claims: [any AuthenticationClaim]
    var scope: Scope
}

extension AuthenticationRequest {
    /// - Throws: ``APIError`` 400 for a body of another shape, 401 for methods that are not offered.
    init(_ body: JSON) throws(APIError) {
        let auth = try AuthenticationBody.object(body["auth"], "auth", in: "request body")
        let identity = try AuthenticationBody.object(auth["identity"], "identity", in: "auth")
        guard case .array(let list)? = identity["methods"] else {
            throw AuthenticationBody.missing("methods", in: "identity")
        }
        var names: [String] = []
        for item in list {
            guard let name = item.stringValue else { throw AuthenticationBody.missing("methods", in: "identity") }
            if !names.contains(name) { names.append(name) }
        }
        guard !names.isEmpty else { throw AuthenticationBody.missing("methods", in: "identity") }
        for name in names where identity[name] == nil { throw AuthenticationBody.missing(name, in: "identity") }
        claims = []
        for name in names {
            guard let method = AuthenticationMethods.named(name) else {
                throw APIError(status: 401, message: "Attempted to authenticate with an unsupported method.")
            }
            claims.append(try method.read(try AuthenticationBody.object(identity[name], name, in: "identity")))
        }
        scope = try Self.scope(auth["scope"])
    }

    private static func scope(_ scope: JSON?) throws(APIError) -> Scope {
        guard let scope, !scope.isNull else { return .implicit }
        if scope.stringValue == "unscoped" { return .unscoped }
        let kinds = ["project", "domain", "system", "unscoped", "OS-TRUST:trust"].filter { scope[$0] != nil }
        guard case .object = scope, kinds.count == 1 else {
            throw AuthenticationBody.missing("system, project, domain, OS-TRUST:trust or unscoped", in: "scope")
        }
        switch kinds[0] {
        case "unscoped": return .unscoped
        case "system":
            guard scope["system"]?["all"] == .bool(true) else { throw AuthenticationBody.missing("all", in: "system") }
            return .system
        case "domain": return .domain(try DomainName(scope["domain"], in: "scope"))
        case "OS-TRUST:trust":
            guard let id = scope["OS-TRUST:trust"]?["id"]?.stringValue, !id.isEmpty else {
                throw AuthenticationBody.missing("trust_id", in: "trust")
            }
            return .trust(id: id)
        default:
            let project = try AuthenticationBody.object(scope["project"], "project", in: "scope")
            if let id = AuthenticationBody.text("id", in: project) { return .project(id: id) }
            guard let name = AuthenticationBody.text("name", in: project) else {
                throw AuthenticationBody.missing("id or name", in: "project")
            }
            return .projectName(name, domain: try DomainName(project["domain"], in: "project"))
        }
    }
}

/// Reading the parts of an authentication body.
enum AuthenticationBody {
    static func object(_ value: JSON?, _ name: String, in target: String) throws(APIError) -> JSON {
        guard let value, case .object = value else { throw missing(name, in: target) }
        return value
    }

    /// An empty identifier or name is none: tools fill in all members of their forms.
    static func text(_ name: String, in object: JSON) -> String? {
        object[name]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
    }

    static func missing(_ name: String, in target: String) -> APIError {
        .badRequest(
            "Expecting to find \(name) in \(target). The server could not comply with the request since it is either "
                + "malformed or otherwise incorrect. The client is assumed to be in error.")
    }
}

/// A user as a request names one.
enum UserName: Sendable {
    case id(String)
    case name(String, domain: DomainName)

    /// - Throws: ``APIError`` 400.
    init(_ user: JSON) throws(APIError) {
        if let id = AuthenticationBody.text("id", in: user) {
            self = .id(id)
            return
        }
        guard let name = AuthenticationBody.text("name", in: user) else {
            throw AuthenticationBody.missing("id or name", in: "user")
        }
        self = .name(name, domain: try DomainName(user["domain"], in: "user"))
    }

    func find(_ state: IdentityState) -> User? {
        switch self {
        case .id(let text): UserID(text).flatMap { state.users[$0] }
        case .name(let name, let domain): domain.find(state).flatMap { state.user(named: name, in: $0.key) }
        }
    }
}

/// A domain as a request names one.
enum DomainName: Sendable {
    case id(String)
    case name(String)

    /// - Throws: ``APIError`` 400.
    init(_ domain: JSON?, in target: String) throws(APIError) {
        let domain = try AuthenticationBody.object(domain, "domain", in: target)
        if let id = AuthenticationBody.text("id", in: domain) {
            self = .id(id)
            return
        }
        guard let name = AuthenticationBody.text("name", in: domain) else {
            throw AuthenticationBody.missing("id or name", in: "domain")
        }
        self = .name(name)
    }

    func find(_ state: IdentityState) -> Domain? {
        switch self {
        case .id(let key): state.domains[key]
        case .name(let name): state.domain(named: name)
        }
    }
}
