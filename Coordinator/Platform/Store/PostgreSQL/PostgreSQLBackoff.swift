import Glibc

/// When a server that could not be reached is tried again: after 0.1 s, then twice as long each time, up to 5 s. Pure but
/// for ``sleep(until:)``.
package struct PostgreSQLBackoff {
    private var failures = 0
    /// When it may be tried again; `nil` is at any time.
    package private(set) var next: ContinuousClock.Instant?

    package init() {}

    package func mayTry(at now: ContinuousClock.Instant) -> Bool { next.map { now >= $0 } ?? true }

    package mutating func succeeded() { (failures, next) = (0, nil) }

    package mutating func failed(at now: ContinuousClock.Instant) {
        next = now + min(.milliseconds(100 << min(failures, 6)), .seconds(5))
        failures += 1
    }

    /// Blocks the thread.
    static func sleep(until time: ContinuousClock.Instant) {
        let left = max(.zero, time - .now).components
        var pause = timespec(tv_sec: Int(left.seconds), tv_nsec: Int(left.attoseconds / 1_000_000_000))
        var rest = timespec()
        while nanosleep(&pause, &rest) != 0, errno == EINTR { pause = rest }
    }
}
