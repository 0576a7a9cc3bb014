import ProtocolModel
import Synchronization

/// The `Date` header, made once a second.
final class DateLine: Sendable {
    private struct Line {
        var second: Int64 = -1
        var text = ""
    }

    private let clock: any WallClock
    private let line = Mutex(Line())

    init(clock: any WallClock) { self.clock = clock }

    var text: String {
        let now = clock.now()
        let second = now / 1_000_000
        return line.withLock { line in
            if line.second != second { line = Line(second: second, text: Timestamp.http(now)) }
            return line.text
        }
    }
}
