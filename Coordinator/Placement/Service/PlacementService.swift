import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// Chooses hosts and keeps account of what was given away.
public struct PlacementService: PlacementForCompute {
    let directory: any NodeDirectory
    let providers = ProviderStore()
    let allocations = AllocationStore()

    public init(directory: any NodeDirectory) { self.directory = directory }

    public func claim(
        _ request: PlacementRequest, at now: Int64, in transaction: any SQLTransaction
    ) throws -> PlacementDecision {
        let hosts = try hosts(in: transaction)
        let decision = Scheduler.decide(request, among: hosts, tieBreak: request.consumer.low)
        guard let host = decision.host else { return decision }
        // A server that is placed anew gives back what it had.
        try allocations.release(request.consumer.text, at: now, in: transaction)
        let amounts = [
            (ResourceClass.vcpu, request.vcpus), (ResourceClass.memory, request.memoryMiB),
            (ResourceClass.disk, request.diskGiB)
        ]
        try allocations.claim(
            amounts.filter { $0.1 > 0 }.map { Claim(provider: host.text, resourceClass: $0.0, amount: $0.1) },
            for: Consumer(
                uuid: request.consumer.text, project: request.project.compact, user: request.user.compact,
                generation: 1,
                updatedAt: now),
            at: now, in: transaction)
        return decision
    }

    public func release(_ consumer: ServerID, in transaction: any SQLTransaction) throws {
        try allocations.release(consumer.text, at: nil, in: transaction)
    }

    /// Every node with its stock. A node that never reported offers nothing.
    func hosts(in reader: any SQLReader) throws -> [HostState] {
        let stocks = try providers.allInventories(in: reader)
        return try directory.nodes(in: reader).map { node in
            let known = stocks[node.id.text]
            func stock(_ name: String) -> HostState.Stock {
                guard let inventory = known?.inventories[name] else { return .init(capacity: 0, used: 0, largest: 0) }
                return .init(capacity: inventory.capacity, used: inventory.used, largest: inventory.maxUnit)
            }
            return HostState(
                node: node.id, hostname: node.hostname, availabilityZone: node.report?.availabilityZone ?? "",
                isCompute: node.report?.roles.contains(.compute) ?? false, isEnabled: node.isEnabled,
                disabledReason: node.disabledReason, health: HostState.Health(rawValue: node.health.rawValue) ?? .down,
                physicalNetworks: Set(node.report?.physicalNetworks ?? []),
                hasUEFI: node.report?.hypervisor.hasUEFI ?? false, vcpus: stock(ResourceClass.vcpu),
                memoryMiB: stock(ResourceClass.memory), diskGiB: stock(ResourceClass.disk),
                consumers: known?.provider.consumers ?? 0)
        }
    }
}
