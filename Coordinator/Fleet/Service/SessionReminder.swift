import CoordinatorPlatform
import ProtocolModel
import Synchronization

/// Wakes sessions that were not woken: whoever commits a change of a plan wakes the session that brings it, but not when
/// the answer to the commit was lost, or when it dies in between.
package final class SessionReminder: Sendable {
    private let registry: SessionRegistry
    private let plans = PlanStore()
    private let operations = OperationStore()
    private let state = Mutex((next: Int64.min, doubts: 0))
    /// Between two passes, microseconds.
    private static let interval: Int64 = 10_000_000

    package init(registry: SessionRegistry) { self.registry = registry }

    /// Called every second; does its work less often, and at once after a commit of which nobody knows whether it was
    /// done. Only who has something to hear is woken.
    package func pass(at now: Int64, _ database: any SQLDatabase) async throws {
        let doubts = (database as? any StoreEngine)?.doubtfulCommits ?? 0
        let isTime = state.withLock { state in
            // A clock that was set back makes nobody wait.
            let isTime = now >= state.next || now < state.next - Self.interval || doubts != state.doubts
            if isTime { state = (now + Self.interval, doubts) }
            return isTime
        }
        guard isTime, registry.connectedCount > 0 else { return }
        let behind = try await database.read { [plans, operations] reader in
            Set(try plans.behind(in: reader)).union(try operations.nodes(in: reader))
        }
        for node in behind { registry.wake(node) }
    }
}
