import ProtocolModel
import Synchronization

/// The nodes that are connected right now, and what is known of them that need not survive a restart.
///
/// One lock, `state`; nothing is awaited and no foreign code runs while it is held.
public final class SessionRegistry: Sendable {
    /// What others may do to a live session.
    package struct Handle: Sendable {
        /// Tells sessions of one node apart: a reconnecting agent may meet its own old session.
        var serial: UInt64
        var wake: @Sendable () -> Void
        var ask: @Sendable (Operation) -> Void
        var close: @Sendable () -> Void
        /// How often both sides promised to say something, microseconds.
        var keepAlive: Int64
        /// A node counts as up once it has said what it has: nothing can be placed on it before.
        var hasReported = false
        /// When it began, microseconds since 1970.
        var openedAt: Int64 = 0

        package init(
            serial: UInt64, keepAlive: Int64, wake: @escaping @Sendable () -> Void = {},
            ask: @escaping @Sendable (Operation) -> Void = { _ in }, close: @escaping @Sendable () -> Void = {}
        ) {
            self.serial = serial
            self.keepAlive = keepAlive
            self.wake = wake
            self.ask = ask
            self.close = close
        }
    }

    struct Liveness: Sendable {
        let signs: SignsOfLife
        var health: NodeHealth?

        var lastSeen: Int64 { signs.last }
    }

    /// What a verdict on one node is made from.
    struct Standing: Sendable, Equatable {
        var isConnected = false
        var keepAlive: Int64 = 0
        /// `nil` when nothing was heard of it since this coordinator came up.
        var lastSeen: Int64?
    }

    private struct State {
        var serial: UInt64 = 0
        var handles: [NodeID: Handle] = [:]
        var liveness: [NodeID: Liveness] = [:]
        var questions: [OperationID: CheckedContinuation<OperationResult?, Never>] = [:]
        var pauses = OwnPauses()
        var held: [NodeID: Int64] = [:]
        /// When this coordinator came up, microseconds since 1970. What it did not hear before that is no silence of
        /// theirs.
        var startedAt: Int64
    }

    private let state: Mutex<State>
    /// Something was written that ``PlanSpreader`` has to tell the nodes.
    let spread = SpreadSignal()
    /// Questions open at once: console output and the like.
    static let questionLimit = 1_000

    /// How long this coordinator has listened before the silence of anybody means something: the time after which a node
    /// that never came back counts as down.
    package static let grace: Int64 = 60_000_000
    /// What a session that has just begun is given to say what happened before it.
    package static let sessionGrace: Int64 = 15_000_000
    /// No session, however often it begins anew, holds a deadline up for longer.
    package static let longestDelay: Int64 = 600_000_000

    public init(startedAt: Int64) { state = Mutex(State(startedAt: startedAt)) }

    var startedAt: Int64 { state.withLock { $0.startedAt } }

    func nextSerial() -> UInt64 {
        state.withLock {
            $0.serial += 1
            return $0.serial
        }
    }

    /// Makes the session the node's; an older one of the same node is closed.
    /// - Returns: Where the session notes what it hears.
    @discardableResult
    package func register(_ handle: Handle, node: NodeID, at now: Int64) -> SignsOfLife {
        let (old, signs) = state.withLock { state in
            var handle = handle
            handle.openedAt = now
            let old = state.handles.updateValue(handle, forKey: node)
            let heard = state.liveness[node] ?? Liveness(signs: SignsOfLife())
            state.liveness[node] = heard
            return (old, heard.signs)
        }
        signs.note(now)
        old?.close()
        return signs
    }

    /// - Returns: Whether the session was still the node's.
    @discardableResult
    package func unregister(_ serial: UInt64, node: NodeID) -> Bool {
        state.withLock { state in
            guard state.handles[node]?.serial == serial else { return false }
            state.handles[node] = nil
            return true
        }
    }

    package func keep(_ health: NodeHealth, of node: NodeID) { state.withLock { $0.liveness[node]?.health = health } }

    /// What is known of each node that was heard of, as a whole.
    func standings() -> [NodeID: Standing] {
        state.withLock { state in
            state.liveness.mapValues { Standing(lastSeen: $0.lastSeen) }.merging(
                state.handles.mapValues { Standing(isConnected: $0.hasReported, keepAlive: $0.keepAlive) }
            ) { heard, session in
                Standing(isConnected: session.isConnected, keepAlive: session.keepAlive, lastSeen: heard.lastSeen)
            }
        }
    }

    /// The judge looks: what it slept through is no silence of the nodes'.
    @discardableResult
    package func look(at now: Int64) -> OwnPauses {
        state.withLock { state in
            state.pauses.look(at: now)
            return state.pauses
        }
    }

    /// ``look(at:)`` by a clock that was read just now and by one caller alone, so that a clock that was set back is
    /// noticed: a sign of life of a time to come would keep a dead host up until then.
    package func lookOut(at now: Int64) {
        state.withLock { state in
            if state.pauses.isStepBack(to: now) {
                state.pauses.stepBack(to: now)
                state.startedAt = min(state.startedAt, now)
                for heard in state.liveness.values { heard.signs.stepBack(to: now) }
                for (node, handle) in state.handles where handle.openedAt > now { state.handles[node]?.openedAt = now }
            }
            state.pauses.look(at: now)
        }
    }

    /// Whether what nobody said by a deadline counts as not said: this coordinator has listened for long enough before
    /// now, and so has the node's session, if it just began, had time for what happened while it was away.
    package func isDue(_ deadline: Int64, of node: NodeID?, at now: Int64) -> Bool {
        guard now >= deadline else { return false }
        return state.withLock { state in
            // Whoever asks may be the first to run after a pause.
            var pauses = state.pauses
            pauses.look(at: now)
            var since = max(deadline - Self.grace, state.startedAt)
            // What was listened to before a pause says nothing of what came in it.
            if let pause = pauses.pauses.first(where: { $0.upperBound > since }) {
                since = max(since, pause.lowerBound)
            }
            guard pauses.silence(since: since, at: now) >= Self.grace else { return false }
            guard now - deadline < Self.longestDelay, let session = node.flatMap({ state.handles[$0] }) else {
                return true
            }
            return pauses.silence(since: session.openedAt, at: now) >= Self.sessionGrace
        }
    }

    func liveness(of node: NodeID) -> Liveness? { state.withLock { $0.liveness[node] } }

    /// - Returns: Whether this was the session's first report.
    @discardableResult
    package func markReported(_ serial: UInt64, node: NodeID) -> Bool {
        state.withLock { state in
            guard state.handles[node]?.serial == serial, state.handles[node]?.hasReported == false else { return false }
            state.handles[node]?.hasReported = true
            return true
        }
    }

    /// The nodes that are connected and have reported.
    func connected() -> Set<NodeID> { state.withLock { Set($0.handles.filter(\.value.hasReported).keys) } }

    public var connectedCount: Int { state.withLock { $0.handles.count } }

    /// The node says that it holds its plan up to there: written down in a while, with those of other nodes.
    func keepHeld(_ revision: Int64, by node: NodeID) {
        state.withLock { $0.held[node] = max(revision, $0.held[node] ?? revision) }
    }

    /// What was not written down yet.
    func takeHeld() -> [NodeID: Int64] {
        state.withLock { state in
            let held = state.held
            state.held = [:]
            return held
        }
    }

    /// Has every session look whether there is something to bring.
    func wakeAll() {
        for handle in state.withLock({ Array($0.handles.values) }) { handle.wake() }
    }

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
    package func answer(_ result: OperationResult) -> Bool {
        let waiting = state.withLock { $0.questions.removeValue(forKey: result.id) }
        waiting?.resume(returning: result)
        return waiting != nil
    }

    func giveUp(_ operation: OperationID) {
        state.withLock { $0.questions.removeValue(forKey: operation) }?.resume(returning: nil)
    }
}

/// Wakes the one who waits for it. Any number of wakes before it looks count as one.
final class SpreadSignal: Sendable {
    let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1)) }

    func wake() { continuation.yield() }
}

/// When a node was last heard, noted as frames arrive: whatever else this process is doing, and whether or not anybody
/// has got round to reading what they say.
package final class SignsOfLife: Sendable {
    private let latest = Atomic<Int64>(0)

    /// Microseconds since 1970.
    package var last: Int64 { latest.load(ordering: .relaxed) }

    package func note(_ now: Int64) { latest.max(now, ordering: .relaxed) }

    /// The clock was set back.
    func stepBack(to now: Int64) { latest.min(now, ordering: .relaxed) }
}
