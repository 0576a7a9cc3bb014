import Synchronization

/// Where a console that arrives and whoever waits for it meet: each line is taken once or given back, never lost.
final class ConsoleHandoff: Sendable {
    private enum State {
        case empty
        case waiting(CheckedContinuation<ConsoleLine?, Never>)
        case arrived(ConsoleLine)
        case over
    }

    private let state = Mutex(State.empty)

    /// - Returns: `false` when nobody takes it.
    func put(_ line: ConsoleLine) -> Bool {
        let (isTaken, waiter) = state.withLock { state -> (Bool, CheckedContinuation<ConsoleLine?, Never>?) in
            switch state {
            case .empty:
                state = .arrived(line)
                return (true, nil)
            case .waiting(let waiter):
                state = .over
                return (true, waiter)
            case .arrived, .over: return (false, nil)
            }
        }
        waiter?.resume(returning: line)
        return isTaken
    }

    /// - Returns: `nil` when it did not come in time.
    func take(within limit: Duration) async -> ConsoleLine? {
        let timer = Task {
            try await Task.sleep(for: limit)
            stopWaiting()
        }
        defer { timer.cancel() }
        return await withCheckedContinuation { continuation in
            let line = state.withLock { state -> ConsoleLine?? in
                switch state {
                case .empty:
                    state = .waiting(continuation)
                    return nil
                case .arrived(let line):
                    state = .over
                    return .some(line)
                case .waiting, .over: return .some(nil)
                }
            }
            if let line { continuation.resume(returning: line) }
        }
    }

    /// - Returns: What came and was not taken.
    func giveUp() -> ConsoleLine? {
        state.withLock { state in
            defer { state = .over }
            if case .arrived(let line) = state { return line }
            return nil
        }
    }

    private func stopWaiting() {
        let waiter = state.withLock { state -> CheckedContinuation<ConsoleLine?, Never>? in
            guard case .waiting(let waiter) = state else { return nil }
            state = .over
            return waiter
        }
        waiter?.resume(returning: nil)
    }
}
