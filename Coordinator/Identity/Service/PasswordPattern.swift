import CoordinatorPlatform
import Synchronization

/// Holds new passwords against the operator's expression, off the concurrency pool and not for longer than somebody
/// would wait: the library's engine backtracks, takes minutes for an unlucky expression and a hostile password, and
/// cannot be stopped. A thread that is lost to one is lost to this check alone, which takes another one in its place
/// until there are too many; log-ins do not need it.
package struct PasswordPattern: Sendable {
    package enum Verdict: Sendable, Hashable {
        case matches, differs
        /// The expression cannot be read.
        case unusable
        /// No answer within the time.
        case late
        /// Too many are waiting, or what was before took too long.
        case busy
    }

    private let text: String
    private let patience: Duration
    private let lanes: PatternLanes

    /// - Parameters:
    ///   - patience: How long a password may take.
    ///   - threads: How many look at passwords.
    ///   - mostThreads: How many there may be with those that are lost to a password.
    ///   - waiting: How many passwords may wait for each thread.
    package init(
        _ text: String, patience: Duration = .seconds(2), threads: Int = 2, mostThreads: Int = 8, waiting: Int = 16
    ) {
        self.text = text
        self.patience = patience
        lanes = PatternLanes(threads: threads, mostThreads: mostThreads, waiting: waiting)
    }

    package func judge(_ password: String) async -> Verdict {
        guard let lane = lanes.enter() else { return .busy }
        let answer = FirstAnswer<Verdict>()
        let start = FirstAnswer<Void>()
        let work = Task { [text, lanes] in
            do {
                answer.give(
                    try await lane.pool.run {
                        // Nobody waits any more for what stood behind a slow one.
                        if answer.isGiven { return .busy }
                        start.give(())
                        return PasswordRules.matches(password, text).map { $0 ? .matches : .differs } ?? .unusable
                    })
                lanes.leave(lane.number, isWorking: true)
            } catch {
                answer.give(.busy)
                lanes.leave(lane.number, isWorking: false)
            }
        }
        let timer = Task { [patience, lanes] in
            try? await Task.sleep(for: patience)
            guard !answer.isGiven, start.isGiven else { return answer.give(.busy) }
            lanes.lose(lane.number, unless: { answer.isGiven })
            answer.give(.late)
        }
        let verdict = await answer.value
        timer.cancel()
        work.cancel()
        return verdict
    }
}

/// The threads, each with its own queue, so that what waits behind a lost one is known.
private final class PatternLanes: Sendable {
    private struct Lane {
        let pool: BlockingPool
        var entered = 0
        var isLost = false
    }

    private let lanes: Mutex<[Lane]>
    private let mostThreads: Int
    private let waiting: Int

    init(threads: Int, mostThreads: Int, waiting: Int) {
        self.mostThreads = mostThreads
        self.waiting = waiting
        lanes = Mutex((0..<threads).map { _ in Self.lane(waiting) })
    }

    private static func lane(_ waiting: Int) -> Lane { Lane(pool: BlockingPool(threads: 1, waiting: waiting)) }

    /// - Returns: The emptiest of those that work; `nil` where all are full or lost.
    func enter() -> (number: Int, pool: BlockingPool)? {
        lanes.withLock { lanes in
            let open = lanes.indices.filter { !lanes[$0].isLost && lanes[$0].entered <= waiting }
            guard let number = open.min(by: { lanes[$0].entered < lanes[$1].entered }) else { return nil }
            lanes[number].entered += 1
            return (number, lanes[number].pool)
        }
    }

    /// - Parameter isWorking: The thread has come to it; else it was turned away or given up before.
    func leave(_ number: Int, isWorking: Bool) {
        lanes.withLock { lanes in
            lanes[number].entered -= 1
            if isWorking { lanes[number].isLost = false }
        }
    }

    /// A password takes too long: another thread takes the place of the one that is at it.
    func lose(_ number: Int, unless isDone: () -> Bool) {
        lanes.withLock { lanes in
            guard !isDone(), !lanes[number].isLost else { return }
            lanes[number].isLost = true
            if lanes.count < mostThreads { lanes.append(Self.lane(waiting)) }
        }
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
