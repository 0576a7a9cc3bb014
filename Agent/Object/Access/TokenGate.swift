import Crypto
import ProtocolModel

/// Asks who a token speaks for.
package protocol TokenJudge: Sendable {
    /// - Returns: `nil` for a token that is none, or none any more.
    /// - Throws: When it cannot be told now.
    func judge(_ token: String) async throws -> TokenVerdict?
}

/// Remembers for a while what the coordinator said of tokens, by their hash.
package struct TokenGate: Sendable {
    package typealias Settings = VerdictSettings

    package enum Unavailable: Error { case coordinator }

    private let judge: any TokenJudge
    private let cache: VerdictCache<TokenVerdict>

    package init(_ judge: any TokenJudge, settings: Settings = Settings(), clock: any WallClock) {
        self.judge = judge
        cache = VerdictCache(settings, questions: 8, clock: clock) { $0.expiresAt }
    }

    /// - Returns: `nil` for a token that is none.
    /// - Throws: ``Unavailable`` when nobody can say.
    package func verdict(on token: String) async throws -> TokenVerdict? {
        try await cache.verdict(Array(SHA256.hash(data: Array(token.utf8)))) { [judge] in try await judge.judge(token) }
    }
}
