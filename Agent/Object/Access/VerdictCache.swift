import ProtocolModel

package struct VerdictSettings: Sendable, Hashable {
    package var freshSeconds: Int64 = 30
    package var keptSeconds: Int64 = 3600
    /// Beyond so many, the one that was used the longest time ago goes.
    package var limit = 4096

    package init() {}
}

/// Remembers for a while what the coordinator said.
///
/// A verdict is asked for again after ``VerdictSettings/freshSeconds``: for so long at most, what was revoked still opens
/// the door. While the coordinator cannot be asked, what was seen within ``VerdictSettings/keptSeconds`` holds on, until
/// its own end.
actor VerdictCache<Verdict: Sendable> {
    private struct Entry {
        var verdict: Verdict?
        /// Seconds since 1970.
        var asked: Int64
        var used: UInt64
    }

    private let settings: VerdictSettings
    private let clock: any WallClock
    /// Microseconds since 1970.
    private let end: @Sendable (Verdict) -> Int64
    private var entries: [[UInt8]: Entry] = [:]
    private var uses: UInt64 = 0
    private var underWay: [[UInt8]: Task<Verdict?, any Error>] = [:]
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// - Parameter questions: That are asked at a time: the link has room for so many and for the images besides.
    init(
        _ settings: VerdictSettings, questions: Int, clock: any WallClock, end: @escaping @Sendable (Verdict) -> Int64
    ) {
        self.settings = settings
        self.clock = clock
        self.end = end
        free = questions
    }

    /// - Returns: `nil` for what is none.
    /// - Throws: ``TokenGate/Unavailable`` when nobody can say.
    func verdict(_ key: [UInt8], _ ask: @escaping @Sendable () async throws -> Verdict?) async throws -> Verdict? {
        let now = clock.now() / 1_000_000
        if let entry = entries[key], now - entry.asked < settings.freshSeconds, now >= entry.asked {
            return remember(entry.verdict, key, asked: entry.asked)
        }
        do {
            let verdict = try await once(key, ask)
            return remember(verdict, key, asked: now)
        } catch {
            guard let entry = entries[key], let verdict = entry.verdict, now - entry.asked < settings.keptSeconds else {
                throw TokenGate.Unavailable.coordinator
            }
            return current(verdict)
        }
    }

    /// Requests that show the same thing at the same time ask once.
    private func once(_ key: [UInt8], _ ask: @escaping @Sendable () async throws -> Verdict?) async throws -> Verdict? {
        if let task = underWay[key] { return try await task.value }
        let task = Task { try await inTurn(ask) }
        underWay[key] = task
        defer { underWay[key] = nil }
        return try await task.value
    }

    private func inTurn(_ ask: @Sendable () async throws -> Verdict?) async throws -> Verdict? {
        if free == 0 { await withCheckedContinuation { waiting.append($0) } } else { free -= 1 }
        defer { if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() } }
        return try await ask()
    }

    private func remember(_ verdict: Verdict?, _ key: [UInt8], asked: Int64) -> Verdict? {
        uses += 1
        entries[key] = Entry(verdict: verdict, asked: asked, used: uses)
        if entries.count > settings.limit {
            // A quarter at once, so that the search is paid for by many.
            let old = entries.sorted { $0.value.used < $1.value.used }.prefix(settings.limit / 4)
            for (key, _) in old { entries[key] = nil }
        }
        return verdict.flatMap(current)
    }

    private func current(_ verdict: Verdict) -> Verdict? { end(verdict) > clock.now() ? verdict : nil }
}
