import CoordinatorPlatform
import Synchronization

/// Attempts to join with a token that is none: the first of an address is told at once, the rest of a minute as one line
/// with their number, and a flood from everywhere as a bounded number of lines.
package final class JoinRefusals: Sendable {
    /// Of a host's name, in bytes: as DNS has it (RFC 1035 section 2.3.4).
    package static let longestName = 253

    private let windows = Mutex(RefusalWindows())

    package init() {}

    /// - Returns: What is to be written now.
    package func note(host: String, from address: String, at now: Int64) -> [Event] {
        let event = Event(
            time: now, requestID: "", action: "fleet.node.join", user: "", project: "", target: host,
            outcome: "401 bad token", remoteAddress: address)
        return windows.withLock { windows in
            windows.note(event)
            return windows.drain(now: now)
        }
    }
}
