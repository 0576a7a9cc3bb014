import Synchronization

/// What monitoring wants to know of the fleet's traffic, since this coordinator came up.
public final class FleetFigures: Sendable {
    public struct Values: Sendable, Equatable {
        /// Statuses that the slice which they concern refused.
        public var refusedStatuses = 0
        /// Entries that their node was not sent: see `plan_set_aside`.
        public var entriesSetAside = 0
    }

    private let values = Mutex(Values())

    package init() {}

    public var current: Values { values.withLock { $0 } }

    func update(_ change: (inout Values) -> Void) { values.withLock { change(&$0) } }
}
