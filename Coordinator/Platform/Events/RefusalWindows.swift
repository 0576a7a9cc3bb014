import Collections

/// Decides which refusals become lines of the event log: the first of a kind at once, those that repeat it within a
/// minute as one line with their number. Pure; holds a bounded number of kinds, so that a flood fills neither memory nor
/// disk.
package struct RefusalWindows: Sendable {
    private struct Kind: Hashable {
        var action: String
        var status: Int
        var user: String
        var remoteAddress: String
    }

    private struct Window {
        var opened: Int64
        /// The last that repeated the first; its `count` is how many there were.
        var repeated: Event?
    }

    /// Microseconds for which repetitions are gathered.
    package static let length: Int64 = 60_000_000
    /// Kinds that are told apart at a time. With two lines a kind and minute this bounds what a flood from any number
    /// of addresses writes.
    package static let kindLimit = 200

    private var waiting: [Event] = []
    private var windows: OrderedDictionary<Kind, Window> = [:]
    /// What belongs to no kind that is told apart.
    private var others: Event?
    private var othersSince: Int64 = 0

    package init() {}

    package mutating func note(_ event: Event) {
        // Who is nobody tries all kinds of calls: that is still one kind of refusal.
        let isUnknown = event.refusedWith == 401 && event.action != "identity.authenticate"
        let kind = Kind(
            action: isUnknown ? "" : event.action, status: event.refusedWith ?? 0, user: event.user,
            remoteAddress: event.remoteAddress)
        if let window = windows[kind] {
            var last = event
            last.count = (window.repeated?.count ?? 0) + event.count
            windows[kind]?.repeated = last
        } else if windows.count < Self.kindLimit {
            windows[kind] = Window(opened: event.time)
            waiting.append(event)
        } else {
            gather(event)
        }
    }

    private mutating func gather(_ event: Event) {
        if others == nil { othersSince = event.time }
        others = Event(
            time: event.time, requestID: "", action: "audit.refusals", user: "", project: "", target: "",
            outcome: "429 More kinds of refusals in a minute than are told apart.", remoteAddress: "",
            count: (others?.count ?? 0) + event.count)
    }

    /// - Parameter now: Microseconds; windows that opened a minute before are closed.
    /// - Parameter isLast: Closes all of them.
    /// - Returns: What is to be written, in order.
    package mutating func drain(now: Int64, isLast: Bool = false) -> [Event] {
        var lines = waiting
        waiting = []
        // A clock that was set back must not keep a window open for hours.
        func isOver(_ opened: Int64) -> Bool { isLast || now - opened >= Self.length || now < opened - Self.length }
        for (kind, window) in windows where isOver(window.opened) {
            if let repeated = window.repeated { lines.append(repeated) }
            windows[kind] = nil
        }
        if let event = others, isOver(othersSince) {
            lines.append(event)
            others = nil
        }
        return lines
    }
}
