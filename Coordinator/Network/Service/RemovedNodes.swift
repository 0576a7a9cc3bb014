import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// Unbinds the ports of nodes that the operator takes out of the cloud, and tells nodes of each other's tunnels. Routers
/// of nodes that are down are moved by the upkeep alone, so that no report carries others' work.
struct RemovedNodes: NodeObserver {
    let service: NetworkService

    func nodeReported(
        _ report: NodeReport, by node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        try service.tunnelReported(report.tunnelAddress, by: node, in: transaction)
    }

    func nodeHealthChanged(
        _ health: HealthVerdict, of node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {}

    func nodeRemoved(_ node: NodeID, at now: Int64, in transaction: any SQLTransaction) throws {
        let overlays = try service.overlays.networks(on: node, in: transaction)
        try service.ports.unbindAll(from: node, at: now, in: transaction)
        for network in overlays { try service.overlayChanged(network, in: transaction) }
        for router in try service.routers.routers(on: node, in: transaction) {
            try service.settle(router, at: now, in: transaction)
        }
        try service.tunnelReported(nil, by: node, in: transaction)
    }
}
