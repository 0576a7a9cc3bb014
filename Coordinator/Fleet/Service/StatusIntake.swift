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

/// Takes agents' statuses in, one transaction a message.
package struct StatusIntake: Sendable {
    private let store = PlanStore()
    private let consumers: [ResourceKind: any PlanStatusConsumer]
    private let plan: PlanService
    private let plans: PlanReader

    package init(consumers: [any PlanStatusConsumer], plan: PlanService, plans: PlanReader) {
        self.plans = plans
        self.consumers = Dictionary(consumers.map { ($0.kind, $0) }, uniquingKeysWith: { first, _ in first })
        self.plan = plan
    }

    package func take(
        _ statuses: [ResourceStatus], from node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        for status in statuses {
            let entry = try store.entry(status.key, node: node, in: transaction)
            switch StatusVerdict.judge(status, entry: entry) {
            case .ignore: continue
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
    }
}
