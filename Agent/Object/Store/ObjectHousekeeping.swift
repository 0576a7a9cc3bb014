import ProtocolModel

/// What the store does by itself: ends what has had its time, removes what nobody has any more, packs what is left.
package struct ObjectHousekeeping: Sendable {
    private static let batch = 256
    /// Of batches in one pass: whoever makes objects that expire as fast as they are removed does not keep the rest
    /// waiting.
    private static let rounds = 16

    /// Whoever began an upload in parts and has not ended it by then has forgotten it.
    private static let uploadLife: Int64 = 7 * 86_400_000_000

    private let store: LocalObjectStore
    private let clock: any WallClock

    package init(store: LocalObjectStore, clock: any WallClock) {
        self.store = store
        self.clock = clock
    }

    package func pass() async throws {
        for _ in 0..<Self.rounds {
            let expired = try await store.expired(at: clock.now(), limit: Self.batch)
            guard !expired.isEmpty else { break }
            var removed = 0
            for (name, record) in expired where try await store.remove(name, seen: record) != nil { removed += 1 }
            // The others were changed meanwhile: the next pass sees them as they are then.
            guard removed > 0 else { break }
        }
        _ = try await store.abortUploads(before: clock.now() - Self.uploadLife, limit: Self.batch)
        try await store.collectGarbage()
        try await store.compact()
    }
}
