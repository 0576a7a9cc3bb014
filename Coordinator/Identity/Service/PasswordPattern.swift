import CoordinatorPlatform
import Synchronization

/// Holds new passwords against the operator's expression, off the concurrency pool and not for longer than somebody
/// would wait: the library's engine backtracks, takes minutes for an unlucky expression and a hostile password, and
/// cannot be stopped. A thread that is lost to one is lost to this check alone; log-ins do not need it.
package struct PasswordPattern: Sendable {
    package enum Verdict: Sendable, Hashable {
        case matches, differs
        /// The expression cannot be read.
        case unusable
        /// No answer within the time.
        case late
        /// Too many are waiting.
        case busy
    }

    private let text: String
    private let pool: BlockingPool
    private let patience: Duration

    /// - Parameter patience: How long a password may take.
    package init(
        _ text: String, patience: Duration = .seconds(2), pool: BlockingPool = BlockingPool(threads: 2, waiting: 32)
    ) {
        self.text = text
        self.patience = patience
        self.pool = pool
    }

    package func judge(_ password: String) async -> Verdict {
        let answer = FirstAnswer<Verdict>()
        let work = Task { [text, pool] in
            do {
                answer.give(
                    try await pool.run {
                        // Nobody waits any more for what stood behind a slow one.
                        if answer.isGiven { return .late }
                        return PasswordRules.matches(password, text).map { $0 ? .matches : .differs } ?? .unusable
                    })
            } catch { answer.give(.busy) }
        }
        let timer = Task { [patience] in
            try? await Task.sleep(for: patience)
            answer.give(.late)
        }
        let verdict = await answer.value
        timer.cancel()
        work.cancel()
        return verdict
    }
}

/// What several tasks are asked, and the first of them answers. One task waits for it.
private final class FirstAnswer<Value: Sendable>: Sendable {
    private enum State {
        case open
        case awaited(CheckedContinuation<Value, Never>)
        case given(Value)
    }

    private let state = Mutex(State.open)

    var isGiven: Bool { state.withLock { if case .given = $0 { true } else { false } } }

    /// Later ones change nothing.
    func give(_ value: Value) {
        let waiting: CheckedContinuation<Value, Never>? = state.withLock { state in
            if case .given = state { return nil }
            defer { state = .given(value) }
            if case .awaited(let continuation) = state { return continuation }
            return nil
        }
        waiting?.resume(returning: value)
    }

    var value: Value {
        get async {
            await withCheckedContinuation { continuation in
                let early: Value? = state.withLock { state in
                    if case .given(let value) = state { return value }
                    state = .awaited(continuation)
                    return nil
                }
                if let early { continuation.resume(returning: early) }
            }
        }
    }
}
