/// Notices a silent peer. Any frame is a sign of life; a ping asks for one after an interval without. Both sides run it,
/// and since a ping is a sign of life too, an idle session costs one ping and one pong an interval.
///
/// Times are durations since an origin of the caller's choice.
package struct KeepAlive: Equatable, Sendable {
    package enum Action: Equatable, Sendable {
        case ping(UInt64)
        case giveUp
    }

    package static let missesAllowed = 3

    package let interval: Duration
    private var lastHeard: Duration
    private var pings: UInt64 = 0
    private var nextCheck: Duration
    /// Pings since something was heard.
    private var unanswered = 0

    package init(interval: Duration, now: Duration) {
        self.interval = interval
        lastHeard = now
        nextCheck = now + interval
    }

    package mutating func heard(now: Duration) {
        lastHeard = max(lastHeard, now)
        unanswered = 0
    }

    /// When ``tick(now:)`` has something to decide; a later moment is as good as this one.
    package var deadline: Duration { max(nextCheck, lastHeard + interval) }

    package mutating func tick(now: Duration) -> Action? {
        guard now >= deadline else { return nil }
        // Time alone proves nothing: it may be us who slept, with the peer's frames waiting in the socket.
        if unanswered >= Self.missesAllowed - 1, now - lastHeard >= interval * Self.missesAllowed { return .giveUp }
        nextCheck = now + interval
        pings += 1
        unanswered += 1
        return .ping(pings)
    }
}
