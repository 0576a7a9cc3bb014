import Collections
import ProtocolModel
import Synchronization

/// Lets one piece of work at a time have a resource, in the order in which it was asked for. Waiting suspends the task
/// and holds nothing else up.
public final class KeyedTurns: Sendable {
    private struct State {
        /// Resources that are worked on, with those who wait.
        var taken: [ResourceKey: Deque<CheckedContinuation<Void, Never>>] = [:]
        /// Resources whose turn ended, with the count at that time; cut down by ``mark()``.
        var ended: [ResourceKey: UInt64] = [:]
        var count: UInt64 = 0
    }

    /// A moment before an observation of the host.
    public struct Mark: Sendable { fileprivate let count: UInt64 }

    private let state = Mutex(State())

    public init() {}

    /// - Returns: `false` when somebody has the resource.
    public func tryTake(_ key: ResourceKey) -> Bool {
        state.withLock { state in
            guard state.taken[key] == nil else { return false }
            state.taken[key] = []
            return true
        }
    }

    public func take(_ key: ResourceKey) async {
        await withCheckedContinuation { continuation in
            let isFree: Bool = state.withLock { state in
                if state.taken[key] != nil {
                    state.taken[key]?.append(continuation)
                    return false
                }
                state.taken[key] = []
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    public func give(_ key: ResourceKey) {
        let next: CheckedContinuation<Void, Never>? = state.withLock { state in
            state.count += 1
            state.ended[key] = state.count
            if let next = state.taken[key]?.popFirst() { return next }
            state.taken[key] = nil
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

    /// Whether what was observed after `mark` still holds: nobody works on the resource, or did since.
    public func isQuiet(_ key: ResourceKey, since mark: Mark) -> Bool {
        state.withLock { $0.taken[key] == nil && ($0.ended[key] ?? 0) <= mark.count }
    }

    /// Resources that are worked on.
    public var busy: Set<ResourceKey> { state.withLock { Set($0.taken.keys) } }
}
