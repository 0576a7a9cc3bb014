import CoordinatorPlatform
import ProtocolModel

extension IdentityService {
    static let unauthorized = APIError(status: 401, message: ErrorWords.unauthorizedMessage)

    /// The same to the client; the event log also learns whom somebody pretended to be, and why that failed.
    static func unauthorized(claiming user: User, _ reason: String) -> APIError {
        var refusal = unauthorized
        refusal.claimedUser = user.id.compact
        refusal.detail = reason
        return refusal
    }

    /// A refusal that names what was asked.
    static func forbidden(_ action: String) -> APIError {
        .forbidden("You are not authorized to perform the requested action: \(action).")
    }
    /// A refusal that says no more.
    static let forbidden = APIError.forbidden("You are not authorized to perform the requested action.")

    /// - Returns: The token's text and what it means.
    /// - Throws: ``APIError`` 401, the same for nearly every reason: which part was wrong is nobody's business.
    func logIn(_ request: AuthenticationRequest) async throws -> (text: String, token: ValidToken) {
        let now = clock.now()
        // Where the clock was set back, what ended older tokens may lie ahead: it must not end this one, but may well
        // end it when it comes while the proof is being checked.
        let before = directory.state
        let proof = try await prove(request.claims, at: now)
        let state = directory.state
        guard isUsable(proof.user, at: now) else {
            throw Self.unauthorized(claiming: proof.user, "the user is disabled")
        }
        let methods = Set(proof.methods.names)
        guard proof.user.options.areSatisfied(by: methods) else {
            var refusal = Self.unauthorized(claiming: proof.user, "")
            refusal.message =
                "Insufficient auth methods received for \(proof.user.key). Auth Methods Provided: "
                + "[\(methods.sorted().joined(separator: ","))]."
            throw refusal
        }
        var payload = TokenPayload(
            user: proof.user.id, scope: .unscoped, methods: proof.methods, issuedAt: now,
            expiresAt: min(proof.expiresAt ?? .max, now + tokens.lifetime), audit: .random(),
            parentAudit: proof.parentAudit)
        try Self.narrow(&payload, to: request.scope, proof, state)
        payload.issuedAt = max(now, before.tokensValidFrom(payload))
        return try await issue(payload, state)
    }

    /// The claims must all be true, and of the same user.
    private func prove(_ claims: [any AuthenticationClaim], at now: Int64) async throws -> AuthenticationProof {
        var whole: AuthenticationProof?
        for claim in claims {
            let next = try await claim.prove(self, at: now)
            guard var sum = whole else {
                whole = next
                continue
            }
            guard sum.user.id == next.user.id else { throw Self.unauthorized }
            sum.methods.formUnion(next.methods)
            sum.expiresAt = [sum.expiresAt, next.expiresAt].compactMap { $0 }.min()
            sum.parentAudit = sum.parentAudit ?? next.parentAudit
            if case .any = sum.reach { sum.reach = next.reach }
            if case .applicationCredential = next.reach { sum.reach = next.reach }
            whole = sum
        }
        guard let whole else { throw Self.unauthorized }
        return whole
    }

    /// Makes the token of a payload, and uses its trust once.
    func issue(_ payload: TokenPayload, _ state: IdentityState) async throws -> (text: String, token: ValidToken) {
        guard let token = TokenService.judge(payload, state) else {
            guard payload.trust == nil, let user = state.users[payload.user] else { throw Self.forbidden }
            throw Self.unauthorized(claiming: user, "no role in that scope, or the scope is not usable")
        }
        if let trust = token.trust { try await use(trust) }
        return (try tokens.seal(payload), token)
    }

    private func use(_ trust: Trust) async throws {
        guard trust.remainingUses != nil else { return }
        let isUsed = try await change { try $0.use(trust.key) }
        guard isUsed else { throw Self.unauthorized }
    }

    // MARK: - Scope

    private static func narrow(
        _ payload: inout TokenPayload, to scope: AuthenticationRequest.Scope, _ proof: AuthenticationProof,
        _ state: IdentityState
    ) throws(APIError) {
        switch proof.reach {
        case .any: break
        case .systemOnly:
            switch scope {
            case .project, .projectName, .domain:
                throw forbidden(
                    "Using a system-scoped token to create a project-scoped or domain-scoped token is not allowed.")
            default: break
            }
        case .applicationCredential(let credential):
            guard case .implicit = scope else {
                throw APIError(
                    status: 401,
                    message: "Error authenticating with application credential: Application credentials cannot request "
                        + "a scope.")
            }
            payload.scope = .project(credential.project)
            payload.applicationCredential = AnyID(credential.key)
            return
        }
        if case .trust(let id) = scope {
            // One that has ended or was used up looks like one that never was.
            guard let trust = state.delegations.trusts[id], trust.isAlive(at: payload.issuedAt) else {
                throw unauthorized
            }
            payload.trust = AnyID(trust.key)
            payload.scope = trust.project.map { .project($0) } ?? .unscoped
            payload.expiresAt = min(payload.expiresAt, trust.expiresAt ?? .max)
            return
        }
        payload.scope = try self.scope(scope, proof.user, state)
    }

    private static func scope(
        _ scope: AuthenticationRequest.Scope, _ user: User, _ state: IdentityState
    ) throws(APIError) -> TokenPayload.Scope {
        switch scope {
        case .unscoped, .trust: return .unscoped
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
            guard let domain = domain.find(state), let project = state.project(named: name, in: domain.key) else {
                throw unauthorized
            }
            return .project(project.id)
        case .domain(let name):
            guard let domain = name.find(state) else { throw unauthorized }
            return .domain(domain.key)
        }
    }
}
