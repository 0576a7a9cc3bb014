import Synchronization

/// Which rules a request was asked about, and whether it came into the event log. Only tests keep it: they hold it
/// against what the route says of itself.
public final class PolicyTrace: Sendable {
    private let names = Mutex<[String]>([])
    private let events = Mutex(0)

    public init() {}

    func note(_ rule: String) { names.withLock { $0.append(rule) } }

    func noteEvent() { events.withLock { $0 += 1 } }

    /// Lines of the event log that the request wrote.
    public var eventCount: Int { events.withLock { $0 } }

    /// In the order in which they were asked.
    public var rules: [String] { names.withLock { $0 } }
}
