import Collections
import ProtocolModel
import Synchronization

/// Lets one piece of work at a time have a server, in the order in which it was asked for. Waiting suspends the task
/// and holds nothing else up.
public final class ServerTurns: Sendable {
    private struct State {
        /// Servers that are worked on, with those who wait.
        var taken: [ServerID: Deque<CheckedContinuation<Void, Never>>] = [:]
        /// Servers whose turn ended, with the count at that time; cut down by ``mark()``.
        var ended: [ServerID: UInt64] = [:]
        var count: UInt64 = 0
    }

    /// A moment before an observation of the host.
    public struct Mark: Sendable { fileprivate let count: UInt64 }

    private let state = Mutex(State())

    public init() {}

    /// - Returns: `false` when somebody has the server.
    public func tryTake(_ server: ServerID) -> Bool {
        state.withLock { state in
            guard state.taken[server] == nil else { return false }
            state.taken[server] = []
            return true
        }
    }

    public func take(_ server: ServerID) async {
        await withCheckedContinuation { continuation in
            let isFree: Bool = state.withLock { state in
                if state.taken[server] != nil {
                    state.taken[server]?.append(continuation)
                    return false
                }
                state.taken[server] = []
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    public func give(_ server: ServerID) {
        let next: CheckedContinuation<Void, Never>? = state.withLock { state in
            state.count += 1
            state.ended[server] = state.count
            if let next = state.taken[server]?.popFirst() { return next }
            state.taken[server] = nil
            return nil
        }
        next?.resume()
    }

    /// To be called before the host is observed; one observer only.
    public func mark() -> Mark {
        state.withLock { state in
            state.ended.removeAll()
            return Mark(count: state.count)
        }
    }

    /// Whether what was observed after `mark` still holds: nobody works on the server, or did since.
    public func isQuiet(_ server: ServerID, since mark: Mark) -> Bool {
        state.withLock { $0.taken[server] == nil && ($0.ended[server] ?? 0) <= mark.count }
    }

    /// Servers that are worked on.
    public var busy: Set<ServerID> { state.withLock { Set($0.taken.keys) } }
}
