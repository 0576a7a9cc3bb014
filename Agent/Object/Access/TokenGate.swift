import Crypto
import ProtocolModel

/// Asks who a token speaks for.
package protocol TokenJudge: Sendable {
    /// - Returns: `nil` for a token that is none, or none any more.
    /// - Throws: When it cannot be told now.
    func judge(_ token: String) async throws -> TokenVerdict?
}

/// Remembers for a while what the coordinator said of tokens.
///
/// A verdict is asked for again after ``Settings/freshSeconds``: for so long at most, a token that was revoked still
/// opens the door. While the coordinator cannot be asked, what was seen within ``Settings/keptSeconds`` holds on, until
/// the token's own end. Tokens are kept by their hash.
package actor TokenGate {
    package struct Settings: Sendable, Hashable {
        package var freshSeconds: Int64 = 30
        package var keptSeconds: Int64 = 3600
        /// Beyond so many, the one that was asked for the longest time ago goes.
        package var limit = 4096

        package init() {}
    }

    package enum Unavailable: Error { case coordinator }

    private struct Entry {
        var verdict: TokenVerdict?
        /// Seconds since 1970.
        var asked: Int64
        var used: UInt64
    }

    /// Questions that are asked at a time: the link has room for so many and for the images besides.
    private static let questions = 8

    private let judge: any TokenJudge
    private let settings: Settings
    private let clock: any WallClock
    private var entries: [[UInt8]: Entry] = [:]
    private var uses: UInt64 = 0
    private var underWay: [[UInt8]: Task<TokenVerdict?, any Error>] = [:]
    private var free = TokenGate.questions
    private var waiting: [CheckedContinuation<Void, Never>] = []

    package init(_ judge: any TokenJudge, settings: Settings = Settings(), clock: any WallClock) {
        self.judge = judge
        self.settings = settings
        self.clock = clock
    }

    /// - Returns: `nil` for a token that is none.
    /// - Throws: ``Unavailable`` when nobody can say.
    package func verdict(on token: String) async throws -> TokenVerdict? {
        let key = Array(SHA256.hash(data: Array(token.utf8)))
        let now = clock.now() / 1_000_000
        if let entry = entries[key], now - entry.asked < settings.freshSeconds, now >= entry.asked {
            return remember(entry.verdict, key, asked: entry.asked)
        }
        do {
            let verdict = try await ask(token, key)
            return remember(verdict, key, asked: now)
        } catch {
            guard let entry = entries[key], let verdict = entry.verdict, now - entry.asked < settings.keptSeconds else {
                throw Unavailable.coordinator
            }
            return current(verdict)
        }
    }

    /// Requests that show the same token at the same time ask once.
    private func ask(_ token: String, _ key: [UInt8]) async throws -> TokenVerdict? {
        if let task = underWay[key] { return try await task.value }
        let task = Task { try await askInTurn(token) }
        underWay[key] = task
        defer { underWay[key] = nil }
        return try await task.value
    }

    private func askInTurn(_ token: String) async throws -> TokenVerdict? {
        if free == 0 { await withCheckedContinuation { waiting.append($0) } } else { free -= 1 }
        defer { if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() } }
        return try await judge.judge(token)
    }

    private func remember(_ verdict: TokenVerdict?, _ key: [UInt8], asked: Int64) -> TokenVerdict? {
        uses += 1
        entries[key] = Entry(verdict: verdict, asked: asked, used: uses)
        if entries.count > settings.limit {
            // A quarter at once, so that the search is paid for by many.
            let old = entries.sorted { $0.value.used < $1.value.used }.prefix(settings.limit / 4)
            for (key, _) in old { entries[key] = nil }
        }
        return verdict.flatMap(current)
    }

    private func current(_ verdict: TokenVerdict) -> TokenVerdict? { verdict.expiresAt > clock.now() ? verdict : nil }
}
