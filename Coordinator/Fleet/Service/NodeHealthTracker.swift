import ProtocolModel

/// When a silent node is suspected and when it is given up. Pure: time is an argument.
///
/// Hysteresis: going down takes two steps of silence, coming up takes one sign of life in a session.
package struct NodeHealthTracker: Sendable, Equatable {
    /// Silence until a node is suspected, microseconds.
    package var suspectAfter: Int64 = 15_000_000
    /// Silence until it counts as down.
    package var downAfter: Int64 = 60_000_000

    package init() {}

    /// - Parameter silence: Since the last frame of the node, microseconds; the coordinator's own pauses left out.
    /// - Parameter keepAlive: How often both sides of the node's session promised to say something. Whoever was told to
    ///   speak rarely is not suspected for it.
    package func verdict(
        current: HealthVerdict, isConnected: Bool, silence: Int64, keepAlive: Int64 = 0
    ) -> HealthVerdict {
        let suspectAfter = max(suspectAfter, 3 * keepAlive)
        let downAfter = max(downAfter, 2 * suspectAfter)
        if isConnected, silence < suspectAfter { return .up }
        if silence >= downAfter { return .down }
        if silence >= suspectAfter { return current == .down ? .down : .suspect }
        return current
    }
}

/// Times when this coordinator was not awake: stopped, starved, or its machine asleep. What it could not hear then is no
/// silence of others. Pure: it is told when the judge looked.
package struct OwnPauses: Sendable, Equatable {
    /// How far apart two looks of an awake judge may be, microseconds: it looks once a second.
    package static let allowed: Int64 = 3_000_000
    /// After a pause, frames that waited in sockets need a moment to be read.
    package static let recovery: Int64 = 2_000_000
    /// What one pause excuses starts so late, microseconds: who says nothing in many waking moments is silent, however
    /// short those are. Or a coordinator that is starved again and again would wait for a dead host for ever.
    package static let charge: Int64 = 3_000_000
    /// Silence is asked for this far back at most, microseconds.
    private static let remembered: Int64 = 3_600_000_000
    private static let most = 64

    /// In order; none overlaps another.
    private(set) package var pauses: [Range<Int64>] = []
    private var lastLook: Int64?

    package init() {}

    /// The clock was set back: what was noted of a time that is still to come is not believed.
    package mutating func stepBack(to now: Int64) {
        pauses = pauses.filter { $0.lowerBound < now }.map { $0.lowerBound..<min($0.upperBound, now) }
        lastLook = now
    }

    /// Whether the clock was set back since the last look, rather than two looks having overtaken each other.
    package func isStepBack(to now: Int64) -> Bool { lastLook.map { now < $0 - 1_000_000 } ?? false }

    /// The judge looks.
    package mutating func look(at now: Int64) {
        if let lastLook, now - lastLook > Self.allowed {
            let start = max(lastLook, pauses.last?.upperBound ?? lastLook)
            if start < now + Self.recovery { pauses.append(start..<now + Self.recovery) }
            pauses.removeAll { $0.upperBound < now - Self.remembered }
            if pauses.count > Self.most { pauses.removeFirst(pauses.count - Self.most) }
        }
        lastLook = max(now, lastLook ?? now)
    }

    /// How long somebody was silent while this coordinator was listening.
    package func silence(since heard: Int64, at now: Int64) -> Int64 {
        var silence = now - heard
        for pause in pauses {
            silence -= max(0, min(pause.upperBound, now) - max(pause.lowerBound, heard) - Self.charge)
        }
        return max(0, silence)
    }
}
