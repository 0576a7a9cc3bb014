import CoordinatorPlatform
import ProtocolModel

/// `/v3/OS-REVOKE/events`, all of a user's tokens at once, and what is left of the days when tokens were certificates.
struct RevocationRoutes: Sendable {
    let identity: IdentityService

    var all: [Route] {
        let gone: @Sendable (APICall) async throws -> APIResponse = { _ in
            throw APIError(
                status: 410, message: "This API is no longer available due to the removal of support for PKI tokens.")
        }
        return [
            Route(.get, "/v3/OS-REVOKE/events", handler: events).asking("identity:list_revoke_events"),
            Route(.delete, "/v3/users/{key}/tokens", action: "identity.user.revoke_tokens", handler: revokeAll).asking(
                "identity:revoke_tokens_for_user"),
            Route(.get, "/v3/auth/tokens/OS-PKI/revoked", access: .anybody) { _ in throw IdentityService.forbidden },
            Route(.get, "/v3/OS-SIMPLE-CERT/ca", access: .anybody, handler: gone),
            Route(.get, "/v3/OS-SIMPLE-CERT/certificates", access: .anybody, handler: gone)
        ]
    }

    /// What has ended tokens before their time, as far as they would still be good.
    private func events(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:list_revoke_events")
        var since: Int64 = 0
        if let text = call.query("since") {
            guard let time = Timestamp.parse(text) else {
                throw APIError.badRequest("invalidate date format \(text)")
            }
            since = time
        }
        let state = identity.directory.state
        let single = state.revoked.filter { $0.value.revokedAt >= since && $0.value.expiresAt > call.now }
            .flatMap { audit, revocation in
                ["audit_id", "audit_chain_id"].map { event($0, audit.auditText, at: revocation.revokedAt) }
            }
        let start = max(since, call.now - identity.tokens.lifetime)
        let users = state.users.values.filter { $0.tokensValidFrom > 0 && $0.tokensValidFrom >= start }
            .map { event("user_id", $0.key, at: $0.tokensValidFrom) }
        let sorted = (single + users).sorted { ($0.time, $0.order) < ($1.time, $1.order) }
        let links: JSON = ["next": nil, "previous": nil, "self": .string(Keystone.link(call, "OS-REVOKE/events"))]
        return .json(["events": .array(sorted.map(\.body)), "links": links])
    }

    private func event(_ name: String, _ value: String, at time: Int64) -> (time: Int64, order: String, body: JSON) {
        let moment = JSON.string(Timestamp.micros(time))
        return (time, name + value, [name: .string(value), "issued_before": moment, "revoked_at": moment])
    }

    private func revokeAll(_ call: APICall) async throws -> APIResponse {
        let known = try call.user(identity, rule: "identity:revoke_tokens_for_user")
        // Who was given a part of somebody's rights does not lock them out.
        try call.requirePrimary(identity, orElse: IdentityService.forbidden)
        try await call.change(identity, target: { $0.key }) { edit in
            guard var user = edit.state.users[known.id] else { throw IdentityAPI.notFound("user", known.key) }
            user.endTokens(at: identity.tokens.bound(at: call.now))
            return try edit.update(user)
        }
        return .empty(204)
    }
}
