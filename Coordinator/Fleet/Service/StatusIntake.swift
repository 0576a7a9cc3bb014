import CoordinatorPlatform
import Logging
import ProtocolModel

/// Decides what a reported status means for the plan entry it speaks of.
package enum StatusVerdict: Equatable {
    /// The slice hears of it.
    case consume
    /// The slice hears of it and the entry is forgotten: removal was asked for and is done.
    case finish
    /// The entry is wanted, yet the agent says it removed it: it is sent again.
    case resend
    /// Nothing the plan knows, or news from before a change of mind.
    case ignore

    package static func judge(_ status: ResourceStatus, entry: PlanStore.Entry?) -> Self {
        guard let entry, status.generation <= entry.generation else { return .ignore }
        guard entry.isWanted else {
            // A "gone" for an older generation may speak of an earlier life of the resource.
            return status.phase == .gone && status.generation == entry.generation ? .finish : .ignore
        }
        guard status.phase == .gone else { return .consume }
        return status.generation == entry.generation ? .resend : .ignore
    }
}

/// Takes agents' statuses in, one transaction a message. A status that a slice refuses costs that status: it is put
/// aside, and the agent tells it again when its next session begins.
package struct StatusIntake: Sendable {
    private let store = PlanStore()
    private let aside = SetAsideStore()
    private let consumers: [ResourceKind: any PlanStatusConsumer]
    private let plan: PlanService
    private let plans: PlanReader
    private let figures: FleetFigures
    private let logger: Logger

    package init(
        consumers: [any PlanStatusConsumer], plan: PlanService, plans: PlanReader, figures: FleetFigures,
        logger: Logger
    ) {
        self.plans = plans
        self.consumers = Dictionary(consumers.map { ($0.kind, $0) }, uniquingKeysWith: { first, _ in first })
        self.plan = plan
        self.figures = figures
        self.logger = logger
    }

    /// Whether anything would follow from the status. Most of what many nodes have in common does not matter to anybody
    /// as long as it is there.
    func matters(_ status: ResourceStatus) -> Bool {
        status.phase == .gone || !(consumers[status.key.kind] is SilentStatuses)
    }

    package func take(
        _ statuses: [ResourceStatus], from node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        for status in statuses {
            do {
                do {
                    try transaction.savepoint { try take(status, from: node, at: now, in: transaction) }
                } catch StoreError.stale(_) {
                    // Somebody else was faster: decided again on what is there now.
                    try transaction.savepoint { try take(status, from: node, at: now, in: transaction) }
                }
            } catch {
                // What ails the store ails all statuses: the session ends, and the agent tells them again.
                if error.isOfStore { throw error }
                try refuse(status, from: node, error, at: now, in: transaction)
            }
        }
    }

    private func take(
        _ status: ResourceStatus, from node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        let entry = try store.entry(status.key, node: node, in: transaction)
        switch StatusVerdict.judge(status, entry: entry) {
        case .ignore: break
        case .resend:
            // Without a spec it would be sent as a removal again, and again: the slice knows it no longer.
            if try plans.hasSpec(status.key, node: node, in: transaction) {
                try plan.put(status.key, on: node, in: transaction)
            } else {
                try store.delete(status.key, node: node, in: transaction)
            }
        case .consume:
            try consumers[status.key.kind]?.consume(status, from: node, at: now, in: transaction)
        case .finish:
            try store.delete(status.key, node: node, in: transaction)
            try consumers[status.key.kind]?.consume(status, from: node, at: now, in: transaction)
        }
    }

    private func refuse(
        _ status: ResourceStatus, from node: NodeID, _ error: any Error, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        let reason = String("\(error)".prefix(1_024))
        let isNews = try aside.refuse(status, node: node, reason: reason, at: now, in: transaction)
        let (figures, logger) = (figures, logger)
        transaction.afterCommit {
            figures.update { $0.refusedStatuses += 1 }
            guard isNews else { return }
            logger.error(
                "a status was refused and put aside",
                metadata: [
                    "node": "\(node)", "\(status.key.kind)": "\(status.key.id)",
                    "generation": "\(status.generation)", "phase": "\(status.phase)", "error": "\(reason)"
                ])
        }
    }
}
