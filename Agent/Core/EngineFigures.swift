import ProtocolModel
import Synchronization

/// What monitoring wants to know of an engine, readable at any moment without waiting for it.
public final class EngineFigures: Sendable {
    public struct Values: Sendable, Equatable {
        public var isConnected = false
        public var planRevision: Int64 = 0
        public var runningGuests = 0
        /// Resources by what was last reported of them.
        public var phases: [ResourceStatus.Phase: Int] = [:]
    }

    private let values = Mutex(Values())
    private let listener: @Sendable (StatusStep) -> Void

    /// - Parameter onStep: Called for every step that was carried out.
    public init(onStep: @escaping @Sendable (StatusStep) -> Void = { _ in }) { listener = onStep }

    public var current: Values { values.withLock { $0 } }

    func update(_ change: (inout Values) -> Void) { values.withLock { change(&$0) } }

    func note(_ steps: [StatusStep]) {
        for step in steps { listener(step) }
    }

    /// One resource went from one phase to another; `nil` is none.
    func moved(from old: ResourceStatus.Phase?, to new: ResourceStatus.Phase?) {
        guard old != new else { return }
        update { values in
            if let old { values.phases[old, default: 0] -= 1 }
            if let new { values.phases[new, default: 0] += 1 }
        }
    }
}
