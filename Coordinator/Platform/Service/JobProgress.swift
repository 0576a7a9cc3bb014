/// Where a job stands, and where it goes from there. Pure: no clock, task or store.
package struct JobProgress: Sendable, Hashable {
    package enum Direction: String, Sendable {
        case forward, backward
    }

    package enum Next: Sendable, Hashable {
        case run(step: Int)
        case undo(step: Int)
        case end(JobOutcome)
    }

    package var direction: Direction = .forward
    /// The step that may be under way: it was started, is to be started, or was cut off.
    package var step = 0
    /// Failed tries of this step in this direction.
    package var failures = 0
    /// Why it turned back.
    package var reason = ""
    /// Undoing failed for good.
    package var isStuck = false

    package init() {}

    package func next(stepCount: Int) -> Next {
        if isStuck { return .end(.stuck(reason: reason)) }
        switch direction {
        case .forward: return step < stepCount ? .run(step: step) : .end(.completed)
        case .backward: return step >= 0 ? .undo(step: step) : .end(.undone(reason: reason))
        }
    }

    package mutating func succeeded() {
        step += direction == .forward ? 1 : -1
        failures = 0
    }

    /// - Returns: Which try failed, where it is to be tried again; `nil` where the direction changed or all is over.
    package mutating func failed(_ reason: String, isPermanent: Bool, attempts: Int) -> Int? {
        failures += 1
        if failures < attempts, !(isPermanent && direction == .forward) { return failures }
        switch direction {
        case .forward:
            direction = .backward
            self.reason = reason
            failures = 0
        case .backward:
            isStuck = true
            self.reason += "; undoing failed: \(reason)"
        }
        return nil
    }

    /// How long to wait after the given failed try.
    package static func delay(after failures: Int, backoff: Duration) -> Duration {
        min(backoff * (1 << min(failures - 1, 16)), .seconds(60))
    }
}
