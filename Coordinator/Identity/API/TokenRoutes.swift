import CoordinatorPlatform
import HTTPTypes
import ProtocolModel

/// `/v3/auth/...`
struct TokenRoutes: Sendable {
    let identity: IdentityService

    var all: [Route] {
        [
            Route(
                .post, "/v3/auth/tokens", action: "identity.authenticate", access: .anybody, bodyLimit: 64 << 10,
                handler: issue),
            Route.direct(.get, "/v3/auth/tokens", handler: validate).asking(
                "identity:validate_token", "identity:check_token"),
            Route(.delete, "/v3/auth/tokens", action: "identity.token.revoke", handler: revoke).asking(
                "identity:revoke_token"),
            Route(.get, "/v3/auth/projects", handler: projects).gated(by: "identity:get_auth_projects"),
            Route(.get, "/v3/auth/domains", handler: domains).gated(by: "identity:get_auth_domains"),
            Route(.get, "/v3/auth/system", handler: system).gated(by: "identity:get_auth_system"),
            Route(.get, "/v3/auth/catalog", handler: catalog).gated(by: "identity:get_auth_catalog")
        ]
    }

    private static let subjectToken = HTTPField.Name("X-Subject-Token")
    private static let vary: (name: String, value: String) = ("Vary", "X-Auth-Token")

    private func issue(_ call: APICall) async throws -> APIResponse {
        let request = try AuthenticationRequest(try await call.json())
        let (text, token) = try await identity.logIn(request)
        let document = TokenDocument.render(
            token, identity.directory.state, withCatalog: call.query("nocatalog") == nil)
        return .json(document, status: 201, headers: [("X-Subject-Token", text), Self.vary])
    }

    private func validate(_ call: APICall) throws -> APIResponse {
        let isExpiredAllowed = call.query("allow_expired").map(Keystone.flag) ?? false
        let rule = call.method == .head ? "identity:check_token" : "identity:validate_token"
        let (text, token) = try subject(call, rule: rule, allowingExpired: isExpiredAllowed)
        try requireAccessRuleSupport(call, token)
        let headers: [(name: String, value: String)] = [
            ("X-Subject-Token", text), Self.vary, ("Content-Type", "application/json")
        ]
        guard call.query("nocatalog") == nil else {
            return .json(
                TokenDocument.render(token, identity.directory.state, withCatalog: false), headers: headers)
        }
        let document = identity.tokens.document(of: text, token) {
            TokenDocument.render(token, identity.directory.state, withCatalog: true).serialize()
        }
        return APIResponse(status: 200, headers: headers, body: .bytes(document))
    }

    private func revoke(_ call: APICall) async throws -> APIResponse {
        let (_, token) = try subject(call, rule: "identity:revoke_token")
        let payload = token.payload
        let line = Event(
            time: call.now, requestID: call.requestID, action: "", user: call.caller?.user.compact ?? "",
            userName: call.caller?.userName ?? "", project: call.caller?.project?.compact ?? "", target: "",
            outcome: "success", remoteAddress: call.remoteAddress)
        try await call.change(identity, target: { _ in payload.audit.auditText }) { edit in
            try identity.revoke(payload, line, in: &edit)
        }
        return .empty(204, headers: [Self.vary])
    }

    /// The token that the request is about.
    /// - Throws: ``APIError`` 403 for who may not know, 404 for one that is not valid.
    private func subject(
        _ call: APICall, rule: String, allowingExpired isAllowed: Bool = false
    ) throws -> (text: String, token: ValidToken) {
        guard let name = Self.subjectToken, let text = call.headers.value(name), !text.isEmpty else {
            try call.authorize(rule)
            throw APIError.notFound("No token in the request")
        }
        guard let token = identity.tokens.validate(text, allowingExpired: isAllowed) else {
            throw TokenService.unknown
        }
        try call.authorize(rule, user: token.user.id)
        return (text, token)
    }

    /// A service that does not know access rules would let such a token do everything: to it, the token is none.
    private func requireAccessRuleSupport(_ call: APICall, _ token: ValidToken) throws {
        guard token.applicationCredential?.accessRules.isEmpty == false else { return }
        let version = HTTPField.Name("OpenStack-Identity-Access-Rules").flatMap { call.headers[$0] }
        guard let version = version.flatMap(Double.init), version >= 1 else { throw TokenService.unknown }
    }

    private func projects(_ call: APICall) async throws -> APIResponse {
        let user = try call.requireCaller().user
        let state = identity.directory.state
        // Without those that act as domains: clients ask for a token for the first they see, and there is none for one.
        let mine = AssignmentRoutes.projects(of: user, state).filter(state.isUsable).map(\.rendered)
        return Keystone.projects(mine, call)
    }

    private func domains(_ call: APICall) async throws -> APIResponse {
        let user = try call.requireCaller().user
        let state = identity.directory.state
        let mine = state.domains.values
            .filter { $0.isEnabled && !state.roles(of: user, at: .domain($0.key)).isEmpty }.sorted { $0.name < $1.name }
        return Keystone.collection(
            "domains", mine.map { Keystone.single($0.rendered, "domains/\($0.key)", call) }, call)
    }

    private func system(_ call: APICall) async throws -> APIResponse {
        let user = try call.requireCaller().user
        let isMine = !identity.directory.state.roles(of: user, at: .system).isEmpty
        return Keystone.collection("system", isMine ? [["all": true]] : [], call)
    }

    private func catalog(_ call: APICall) async throws -> APIResponse {
        guard let text = call.token, let token = identity.tokens.validate(text) else {
            throw IdentityService.unauthorized
        }
        guard token.payload.scope != .unscoped else {
            throw APIError.forbidden(
                "A project-scoped, domain-scoped or system-scoped token is required to produce a service catalog.")
        }
        let list = TokenDocument.catalog(token.payload.scope, identity.directory.state)
        return .json(["catalog": .array(list), "links": ["self": .string(Keystone.link(call, "auth/catalog"))]])
    }
}
