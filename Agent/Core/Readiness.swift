import ProtocolModel

/// How far a resource is, for those that wait for it.
public enum Readiness: Sendable, Equatable {
    /// The plan does not want it, or its spec has not arrived.
    case unknown
    /// Wanted, and not there yet.
    case waiting
    /// There, and not as it is wanted yet: it can be opened, and must not be used.
    case prepared
    /// As it was wanted once; `isCurrent` when that is how it is wanted now.
    case ready(isCurrent: Bool)
    /// Cannot be had as it is wanted now.
    case failed(StatusError)
}

/// What owners found out about their resources, for others to wait for. Fed by what they report.
struct ReadinessBoard: Sendable {
    private struct Failure: Sendable, Equatable {
        var generation: Int64
        var error: StatusError
    }

    private var ready: [ResourceKey: Int64] = [:]
    private var failures: [ResourceKey: Failure] = [:]
    private var prepared: Set<ResourceKey> = []

    /// - Returns: Whether that is news.
    mutating func note(_ status: ResourceStatus) -> Bool {
        let before = (ready[status.key], failures[status.key])
        switch status.phase {
        case .ready:
            ready[status.key] = status.generation
            failures[status.key] = nil
        case .failed:
            ready[status.key] = nil
            failures[status.key] = status.error.map { Failure(generation: status.generation, error: $0) }
        case .applying, .pending:
            // What is changed is not unmade by that, unless something went wrong.
            guard status.error != nil else { return false }
            ready[status.key] = nil
            failures[status.key] = nil
        case .gone:
            ready[status.key] = nil
            failures[status.key] = nil
        }
        return before != (ready[status.key], failures[status.key])
    }

    /// - Returns: Whether that is news.
    mutating func setPrepared(_ keys: Set<ResourceKey>, of kinds: Set<ResourceKind>) -> Bool {
        let before = prepared
        prepared = prepared.filter { !kinds.contains($0.kind) }.union(keys)
        return before != prepared
    }

    /// - Parameter entry: The plan's, as it is now.
    func readiness(of entry: PlanEntry?) -> Readiness {
        guard let entry, entry.spec != nil else { return .unknown }
        // What failed as it was before may do as it is now.
        if let failure = failures[entry.key], failure.generation == entry.generation { return .failed(failure.error) }
        if let generation = ready[entry.key] {
            let isCurrent = generation == entry.generation
            return !isCurrent && prepared.contains(entry.key) ? .prepared : .ready(isCurrent: isCurrent)
        }
        return prepared.contains(entry.key) ? .prepared : .waiting
    }
}
