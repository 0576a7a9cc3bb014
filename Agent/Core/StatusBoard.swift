import Collections
import ProtocolModel

/// What was last found out about each resource, and what of it the coordinator has yet to hear.
struct StatusBoard: Sendable {
    private(set) var current: [ResourceKey: ResourceStatus] = [:]
    private var outgoing: OrderedSet<ResourceKey> = []
    /// On the way to something that may come at any moment: what is over soon is not worth a message.
    private var deferred: OrderedSet<ResourceKey> = []

    /// Notes a status.
    /// - Returns: `true` when it says something new; new steps alone do not.
    mutating func post(_ status: ResourceStatus) -> Bool {
        if let known = current[status.key], known.generation == status.generation, known.phase == status.phase,
            known.details == status.details, known.error == status.error
        {
            return false
        }
        current[status.key] = status
        if status.isTransient {
            // What is queued already is sent as it is by then.
            if !outgoing.contains(status.key) { deferred.append(status.key) }
        } else {
            deferred.remove(status.key)
            outgoing.append(status.key)
        }
        return true
    }

    /// A new session hears everything: the coordinator may have missed any part of it.
    mutating func requeueAll() {
        outgoing = OrderedSet(current.keys.sorted())
        deferred = []
    }

    var hasOutgoing: Bool { !outgoing.isEmpty }
    var hasDeferred: Bool { !deferred.isEmpty }

    mutating func promoteDeferred() {
        outgoing.append(contentsOf: deferred)
        deferred = []
    }

    mutating func takeBatch(_ limit: Int) -> [ResourceStatus] {
        let keys = outgoing.prefix(limit)
        let batch = keys.compactMap { current[$0] }
        outgoing.removeFirst(keys.count)
        return batch
    }

    mutating func drop(_ key: ResourceKey) {
        current[key] = nil
        outgoing.remove(key)
        deferred.remove(key)
    }
}

extension ResourceStatus {
    fileprivate var isTransient: Bool { (phase == .pending || phase == .applying) && error == nil }
}
