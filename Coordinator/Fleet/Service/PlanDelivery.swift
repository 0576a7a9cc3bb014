import CoordinatorPlatform
import ProtocolModel

/// Decides what an agent that holds `position` is sent.
package enum PlanDelivery {
    package enum Choice: Equatable {
        /// Everything after this revision.
        case delta(after: Int64)
        case snapshot
    }

    /// A delta is only right while both sides count in the same history, the agent has not seen more than we know of
    /// (we were restored from a backup) and not less than it once confirmed (it was).
    package static func choose(agent: PlanPosition, plan: PlanStore.Position) -> Choice {
        guard agent.epoch == plan.epoch, agent.revision <= plan.revision, agent.revision >= plan.acknowledged else {
            return .snapshot
        }
        return .delta(after: agent.revision)
    }
}
