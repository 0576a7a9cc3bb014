import Crypto
import ProtocolModel

/// Asks what an access key signs with.
package protocol SigningKeyJudge: Sendable {
    /// - Returns: `nil` for a key that is none, or none any more.
    /// - Throws: When it cannot be told now.
    func key(_ request: SigningKeyRequest) async throws -> SigningKey?
}

/// Remembers for a while what access keys sign with: keys for a day and a region, never the secrets.
package struct SigningKeyGate: Sendable {
    private let judge: any SigningKeyJudge
    private let cache: VerdictCache<SigningKey>

    package init(_ judge: any SigningKeyJudge, settings: VerdictSettings = VerdictSettings(), clock: any WallClock) {
        self.judge = judge
        cache = VerdictCache(settings, questions: 4, clock: clock) { $0.holder.expiresAt }
    }

    /// - Throws: ``TokenGate/Unavailable`` when nobody can say.
    func key(_ request: SigningKeyRequest) async throws -> SigningKey? {
        let text = "\(request.access)\n\(request.date)\n\(request.region)"
        return try await cache.verdict(Array(SHA256.hash(data: Array(text.utf8)))) { [judge] in
            try await judge.key(request)
        }
    }
}
