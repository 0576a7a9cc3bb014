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

    package func verdict(current: HealthVerdict, isConnected: Bool, lastSeen: Int64, now: Int64) -> HealthVerdict {
        let silence = now - lastSeen
        if isConnected, silence < suspectAfter { return .up }
        if silence >= downAfter { return .down }
        if silence >= suspectAfter { return current == .down ? .down : .suspect }
        return current
    }
}
