import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// Unbinds the ports of nodes that the operator takes out of the cloud.
struct RemovedNodes: NodeObserver {
    let service: NetworkService

    func nodeReported(
        _ report: NodeReport, by node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {}

    func nodeHealthChanged(
        _ health: HealthVerdict, of node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {}

    func nodeRemoved(_ node: NodeID, at now: Int64, in transaction: any SQLTransaction) throws {
        try service.ports.unbindAll(from: node, at: now, in: transaction)
    }
}
