import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// Hears from the agents whether ports are there.
struct PortStatuses: PlanStatusConsumer {
    let service: NetworkService
    var kind: ResourceKind { .port }

    func consume(
        _ status: ResourceStatus, from node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        let id: PortID = status.key.id.cast()
        switch status.phase {
        case .ready:
            guard let port = try service.ports.find(id, in: transaction) else { return }
            try service.ports.setStatus(
                port.isAdminUp ? .active : .down, error: nil, of: id, on: node, at: now, in: transaction)
        case .failed:
            let error = status.error.map { "\($0.message) [\($0.detail)]" } ?? "The host gave no reason."
            try service.ports.setStatus(.down, error: error, of: id, on: node, at: now, in: transaction)
        case .pending, .applying, .gone: break
        }
    }
}
