import CoordinatorPlatform
import ProtocolModel

/// What agents are told that serve the S3 API: the key that an EC2 key pair signs with on one day, and whom it speaks
/// for. The pair's secret stays here.
public struct SigningKeyService: Sendable {
    private let identity: IdentityService

    /// Days back from which signatures may be: a signed URL lives for a week.
    private static let daysBack = 8

    public init(_ identity: IdentityService) { self.identity = identity }

    /// - Returns: `nil` for an access key that is none or none any more, or for another time.
    public func signingKey(_ request: SigningKeyRequest) throws -> SigningKey? {
        let now = identity.clock.now()
        guard isNear(request.date, now), !request.region.isEmpty, request.region.utf8.count <= 64 else { return nil }
        let state = identity.directory.state
        guard let credential = state.delegations.credentials[EC2Signature.credentialKey(request.access)],
            credential.type == StoredCredential.ec2, let project = credential.project,
            let user = state.users[credential.user], identity.isUsable(user, at: now)
        else { return nil }
        let blob = try EC2Blob(try identity.open(credential))
        guard !blob.isDelegated, let secret = blob.secret else { return nil }
        var payload = TokenPayload(
            user: user.id, scope: .project(project), methods: .ec2Credential, issuedAt: now,
            expiresAt: now + identity.tokens.lifetime, audit: .random(), parentAudit: nil)
        payload.issuedAt = max(now, state.tokensValidFrom(payload))
        guard let token = TokenService.judge(payload, state) else { return nil }
        return SigningKey(
            holder: identity.tokens.verdict(token),
            key: EC2Signature.derive(secret, date: request.date, region: request.region, service: "s3"))
    }

    private func isNear(_ date: String, _ now: Int64) -> Bool {
        guard date.utf8.count == 8, let number = Int(date), number > 0 else { return false }
        let text = "\(date.prefix(4))-\(date.dropFirst(4).prefix(2))-\(date.suffix(2))T00:00:00Z"
        guard let day = Timestamp.parse(text) else { return false }
        let length: Int64 = 86_400_000_000
        return (now - Int64(Self.daysBack) * length...now + length).contains(day)
    }
}
