import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// Chooses hosts and keeps account of what was given away.
public struct PlacementService: Placement {
    let providers = ProviderStore()
    let allocations = AllocationStore()
    private let groups = GroupStore()
    private let hosts: HostCache

    public init(directory: any NodeDirectory) { hosts = HostCache(directory: directory) }

    public func claim(
        _ request: PlacementRequest, at now: Int64, in transaction: any SQLTransaction
    ) throws -> PlacementDecision {
        var request = request
        var seen: GroupStore.Seen?
        if let group = request.group {
            let found = try groups.members(of: group.id, but: request.consumer.id, in: transaction)
            group.apply(to: &request, members: found.members)
            seen = found
        }
        let decision = try hosts.withTable(in: transaction) { [request] table in
            Scheduler.decide(request, among: table, tieBreak: request.consumer.id.low)
        }
        guard let host = decision.host else { return decision }
        // A consumer that is placed anew gives back what it had.
        try allocations.release(request.consumer.id.text, at: now, in: transaction)
        try allocations.claim(
            request.resources.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map {
                Claim(provider: host.node.text, resourceClass: $0.key, amount: $0.value)
            },
            for: Consumer(
                uuid: request.consumer.id.text, type: request.consumer.type,
                project: request.consumer.project.compact, user: request.consumer.user.compact, generation: 1,
                updatedAt: now),
            at: now, in: transaction)
        if let group = request.group, let seen {
            try groups.join(group.id, seen: seen, consumer: request.consumer.id, on: host.node, in: transaction)
        }
        return decision
    }

    public func forget(group: AnyID, in transaction: any SQLTransaction) throws {
        try groups.forget(group, in: transaction)
    }

    public func release(_ consumer: AnyID, at now: Int64, in transaction: any SQLTransaction) throws {
        try allocations.release(consumer.text, at: now, in: transaction)
    }

    public func hand(
        _ consumer: AnyID, to other: PlacementRequest.Consumer, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        try allocations.release(other.id.text, keepingGroup: true, at: now, in: transaction)
        try allocations.hand(consumer.text, to: other.id.text, type: other.type, at: now, in: transaction)
    }

    public func resize(
        _ consumer: AnyID, _ resourceClass: String, to amount: Int, at now: Int64, in transaction: any SQLTransaction
    ) throws -> Bool {
        try allocations.resize(consumer.text, resourceClass, to: amount, at: now, in: transaction)
    }

    public func zones(of role: NodeReport.Role, in transaction: any SQLTransaction) throws -> Set<String> {
        try hosts.withTable(in: transaction) { $0.zones(of: role) }
    }

    public func hasHost(
        named hostname: String, role: NodeReport.Role, in transaction: any SQLTransaction
    ) throws -> Bool {
        try hosts.withTable(in: transaction) { $0.facts(ofHost: hostname)?.roles.contains(role) ?? false }
    }
}
