import CoordinatorPlatform
import Synchronization

/// How far the looking for routers that wait has come: those that no node can have keep nobody else waiting.
package struct RouterRound: Sendable, Hashable {
    /// Numbers of the last rows that were looked at; 0 begins anew.
    package var waiting: Int64 = 0
    package var placed: Int64 = 0

    package init() {}
}

/// Finds nodes for routers that wait for one, and others for those whose node is down. The only one that does, so that no
/// report of a node carries others' work.
final class RouterUpkeep: Sendable {
    private let service: NetworkService
    private let failures: PartFailures?
    /// One lock; nothing is awaited while it is held. Two passes at once look at some routers twice, and no more.
    private let round = Mutex(RouterRound())

    init(_ service: NetworkService, failures: PartFailures?) {
        self.service = service
        self.failures = failures
    }

    /// One pass; where nothing is to be moved, it only reads.
    func run(on database: any SQLDatabase, at now: Int64) async throws {
        let (service, failures) = (service, failures)
        let start = round.withLock { $0 }
        let (movable, next) = try await database.read { reader in
            var next = start
            return (try service.movableRouters(&next, in: reader), next)
        }
        round.withLock { $0 = next }
        guard !movable.isEmpty else { return }
        try await database.write { try service.settle(movable, failures, at: now, in: $0) }
    }
}
