import CoordinatorPlatform
import Logging
import ProtocolModel
import ServiceLifecycle

/// Marks what many nodes have in common as changed on each of them, after the transaction that changed it.
///
/// A request would else pay for all hosts: a new port in a security group is news to each host with a member of it. So
/// the request writes one line, and the nodes are told together for all changes since the last time. A first change
/// is told at once; after that the pauses are as long as telling so many nodes is work.
package struct PlanSpreader: Service {
    /// What has more holders is not marked in the transaction of the change.
    package static let directHolders = 8
    /// Nodes that one transaction marks: other writers wait for it.
    private static let piece = 128
    /// Resources that are worked off in a turn.
    private static let turn = 64

    let database: any SQLDatabase
    let sessions: SessionRegistry
    let logger: Logger
    private let store = TouchStore()

    package init(database: any SQLDatabase, sessions: SessionRegistry, logger: Logger) {
        self.database = database
        self.sessions = sessions
        self.logger = logger
    }

    /// Works whenever something was written.
    package func run() async throws {
        await cancelWhenGracefulShutdown {
            sessions.spread.wake()
            for await _ in sessions.spread.stream {
                let told = await spread()
                guard told > 0 else { continue }
                try? await Task.sleep(for: Self.pause(after: told))
            }
        }
    }

    /// So that a core is busy with it for some tenth of the time at most.
    package static func pause(after told: Int) -> Duration {
        min(max(.milliseconds(2 * told), .milliseconds(100)), .seconds(2))
    }

    /// Marks what is there to be marked.
    /// - Returns: How many entries of nodes were marked.
    package func spread() async -> Int {
        var told = 0
        do {
            for line in try await database.read({ try store.lines(limit: Self.turn, in: $0) }) {
                var isDone = false
                while !isDone {
                    let (count, end) = try await database.write { try spreadPiece(of: line.key, in: $0) }
                    told += count
                    isDone = end
                }
            }
            // What changed once more meanwhile, or had no room in this turn.
            if try await database.read({ try !store.lines(limit: 1, in: $0).isEmpty }) { sessions.spread.wake() }
        } catch {
            logger.error("changes were not told to all nodes yet", metadata: ["error": "\(error)"])
        }
        return told
    }

    private func spreadPiece(
        of key: ResourceKey, in transaction: any SQLTransaction
    ) throws -> (count: Int, isDone: Bool) {
        guard let line = try store.line(key, in: transaction) else { return (0, true) }
        let holders = try store.holders(after: line, limit: Self.piece, in: transaction)
        if !holders.isEmpty {
            try store.mark(holders, in: transaction)
            let (sessions, nodes) = (sessions, holders.map(\.node))
            transaction.afterCommit { for node in nodes { sessions.wake(node) } }
        }
        guard holders.count == Self.piece, let last = holders.last else {
            try store.finish(key, in: transaction)
            return (holders.count, true)
        }
        try store.setDone(last.row, key, in: transaction)
        return (holders.count, false)
    }
}
