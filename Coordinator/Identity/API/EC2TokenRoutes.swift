import CoordinatorPlatform
import ProtocolModel

/// `/v3/ec2tokens` and `/v3/s3tokens`: a service that got a signed request asks whose it is, and gets a
/// token of theirs.
/// Only services and administrators may ask: the signature of one request must not be a key to all others.
struct EC2TokenRoutes: Sendable {
    let identity: IdentityService

    var all: [Route] {
        [
            Route(.post, "/v3/ec2tokens", action: "identity.ec2_authenticate", bodyLimit: 256 << 10, handler: ec2)
                .asking("identity:ec2tokens_validate"),
            Route(.post, "/v3/s3tokens", action: "identity.s3_authenticate", bodyLimit: 256 << 10, handler: s3).asking(
                "identity:s3tokens_validate")
        ]
    }

    private func ec2(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:ec2tokens_validate")
        let request = try EC2Request(try await credentials(call))
        let (text, document) = try await exchange(request, call) { EC2Signature.isRight(request, secret: $0) }
        return .json(document, headers: [("X-Subject-Token", text)])
    }

    private func s3(_ call: APICall) async throws -> APIResponse {
        try call.authorize("identity:s3tokens_validate")
        let body = try await credentials(call)
        let request = try EC2Request(body)
        guard let signed = body["token"]?.stringValue,
            let text = Base64URL.decode(
                String(signed.filter { $0 != "=" && $0 != "\n" }).replacing("+", with: "-").replacing("/", with: "_"))
        else { throw IdentityService.unauthorized }
        let (_, document) = try await exchange(request, call) {
            EC2Signature.isRight(request.signature, of: text, secret: $0)
        }
        return .json(document)
    }

    private func credentials(_ call: APICall) async throws -> JSON {
        let body = try await call.json()
        BodyTrace.note(["credentials", "credential", "ec2Credentials"])
        for name in ["credentials", "credential", "ec2Credentials"] {
            if let found = body[name], case .object = found { return found }
        }
        throw IdentityService.unauthorized
    }

    private func exchange(
        _ request: EC2Request, _ call: APICall, isRight: (_ secret: String) -> Bool
    ) async throws -> (text: String, document: JSON) {
        let state = identity.directory.state
        guard let credential = state.delegations.credentials[EC2Signature.credentialKey(request.access)],
            credential.type == StoredCredential.ec2
        else { throw APIError.notFound("EC2 access key not found.") }
        let blob = try EC2Blob(try identity.open(credential))
        guard let user = state.users[credential.user] else { throw IdentityService.unauthorized }
        guard let secret = blob.secret, isRight(secret) else {
            throw IdentityService.unauthorized(claiming: user, "wrong signature")
        }
        if let time = try request.signedAt() {
            let age = identity.settings.signatureLifetime.components.seconds * 1_000_000
            guard call.now <= time + age else {
                throw IdentityService.unauthorized(claiming: user, "the signature is too old")
            }
        }
        // Delegated tokens make no key pairs here, so one that claims to be of a delegation was not made by it.
        guard !blob.isDelegated, let project = credential.project, identity.isUsable(user, at: call.now) else {
            throw IdentityService.unauthorized(claiming: user, "the user or the credential is not usable")
        }
        var payload = TokenPayload(
            user: user.id, scope: .project(project), methods: .ec2Credential, issuedAt: call.now,
            expiresAt: call.now + identity.tokens.lifetime, audit: .random(), parentAudit: nil)
        payload.issuedAt = max(call.now, state.tokensValidFrom(payload))
        let (text, token) = try await identity.issue(payload, state)
        return (text, TokenDocument.render(token, identity.directory.state, withCatalog: true))
    }
}
