import ProtocolModel
import Synchronization

/// The nodes that are connected right now, and what is known of them that need not survive a restart.
///
/// One lock, `state`; nothing is awaited and no foreign code runs while it is held.
public final class SessionRegistry: Sendable {
    /// What others may do to a live session.
    struct Handle: Sendable {
        /// Tells sessions of one node apart: a reconnecting agent may meet its own old session.
        var serial: UInt64
        var wake: @Sendable () -> Void
        var ask: @Sendable (Operation) -> Void
        var close: @Sendable () -> Void
        /// A node counts as up once it has said what it has: nothing can be placed on it before.
        var hasReported = false
    }

    struct Liveness: Sendable, Equatable {
        var lastSeen: Int64
        var health: NodeHealth?
    }

    private struct State {
        var serial: UInt64 = 0
        var handles: [NodeID: Handle] = [:]
        var liveness: [NodeID: Liveness] = [:]
        var questions: [OperationID: CheckedContinuation<OperationResult?, Never>] = [:]
    }

    private let state = Mutex(State())
    /// Questions open at once: console output and the like.
    static let questionLimit = 1_000

    /// When this coordinator came up, microseconds since 1970. What it did not hear before that is no silence of theirs.
    let startedAt: Int64

    public init(startedAt: Int64) { self.startedAt = startedAt }

    func nextSerial() -> UInt64 {
        state.withLock {
            $0.serial += 1
            return $0.serial
        }
    }

    /// Makes the session the node's; an older one of the same node is closed.
    func register(_ handle: Handle, node: NodeID, at now: Int64) {
        let old = state.withLock { state in
            let old = state.handles.updateValue(handle, forKey: node)
            state.liveness[node, default: Liveness(lastSeen: now, health: nil)].lastSeen = now
            return old
        }
        old?.close()
    }

    /// - Returns: Whether the session was still the node's.
    @discardableResult
    func unregister(_ serial: UInt64, node: NodeID) -> Bool {
        state.withLock { state in
            guard state.handles[node]?.serial == serial else { return false }
            state.handles[node] = nil
            return true
        }
    }

    func sawNode(_ node: NodeID, health: NodeHealth?, at now: Int64) {
        state.withLock { state in
            state.liveness[node, default: Liveness(lastSeen: now, health: nil)].lastSeen = now
            if let health { state.liveness[node]?.health = health }
        }
    }

    /// The last sign of life, as far as this coordinator could have heard one.
    func lastHeard(of node: Node) -> Int64 { liveness(of: node.id)?.lastSeen ?? max(node.lastSeen, startedAt) }

    func liveness(of node: NodeID) -> Liveness? { state.withLock { $0.liveness[node] } }

    /// - Returns: Whether this was the session's first report.
    func markReported(_ serial: UInt64, node: NodeID) -> Bool {
        state.withLock { state in
            guard state.handles[node]?.serial == serial, state.handles[node]?.hasReported == false else { return false }
            state.handles[node]?.hasReported = true
            return true
        }
    }

    /// The nodes that are connected and have reported.
    func connected() -> Set<NodeID> { state.withLock { Set($0.handles.filter(\.value.hasReported).keys) } }

    public var connectedCount: Int { state.withLock { $0.handles.count } }

    func wake(_ node: NodeID) { state.withLock { $0.handles[node]?.wake }?() }

    func close(_ node: NodeID) { state.withLock { $0.handles[node]?.close }?() }

    func closeAll() {
        for handle in state.withLock({ Array($0.handles.values) }) { handle.close() }
    }

    /// Sends the operation and waits for its result.
    /// - Returns: `nil` when the node is away, too many questions are open, or ``giveUp(_:)`` came first.
    func ask(_ operation: Operation, node: NodeID) async -> OperationResult? {
        await withCheckedContinuation { continuation in
            let ask = state.withLock { state -> (@Sendable (Operation) -> Void)? in
                guard let handle = state.handles[node], state.questions.count < Self.questionLimit else { return nil }
                state.questions[operation.id] = continuation
                return handle.ask
            }
            if let ask { ask(operation) } else { continuation.resume(returning: nil) }
        }
    }

    /// - Returns: Whether somebody was waiting for it.
    func answer(_ result: OperationResult) -> Bool {
        let waiting = state.withLock { $0.questions.removeValue(forKey: result.id) }
        waiting?.resume(returning: result)
        return waiting != nil
    }

    func giveUp(_ operation: OperationID) {
        state.withLock { $0.questions.removeValue(forKey: operation) }?.resume(returning: nil)
    }
}
