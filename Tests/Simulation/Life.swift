import Synchronization

/// One run of a process, from its start to its death. What is done for it passes by here step by step; after the last
/// step nothing of it has any effect, and it says nothing more.
final class Life: Sendable {
    private struct State {
        var stepsLeft: Int
        var isOver = false
    }

    private let state: Mutex<State>
    private let onDeath: @Sendable () -> Void

    /// - Parameter steps: After how many it dies; `nil` for a long life.
    init(steps: Int?, onDeath: @escaping @Sendable () -> Void) {
        state = Mutex(State(stepsLeft: steps ?? .max))
        self.onDeath = onDeath
    }

    var isOver: Bool { state.withLock { $0.isOver } }

    /// - Returns: Whether the process still lives.
    func step() -> Bool {
        let (isAlive, diesNow) = state.withLock { state in
            guard !state.isOver else { return (false, false) }
            state.stepsLeft -= 1
            guard state.stepsLeft <= 0 else { return (true, false) }
            state.isOver = true
            return (false, true)
        }
        if diesNow { onDeath() }
        return isAlive
    }

    /// It dies after so many steps more, unless it was to die sooner.
    func shorten(to steps: Int) { state.withLock { $0.stepsLeft = min($0.stepsLeft, steps) } }

    func end() {
        let diesNow = state.withLock { state in
            defer { state.isOver = true }
            return !state.isOver
        }
        if diesNow { onDeath() }
    }
}

/// What a dead process would have been told.
struct Dead: Error {}
