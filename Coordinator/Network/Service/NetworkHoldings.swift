import CoordinatorPlatform
import ProtocolModel

/// What projects have of this slice. The default group and the quotas are housekeeping.
struct NetworkHoldings: ProjectHoldings {
    let service: NetworkService

    func remaining(of project: ProjectID, in reader: any SQLReader) throws -> [ProjectHolding] {
        [
            ProjectHolding("network", try service.networks.owned(by: project, in: reader).count),
            ProjectHolding("subnet", try service.subnets.strange(to: project, in: reader).count),
            ProjectHolding("router", try service.routers.owned(by: project, in: reader).count),
            ProjectHolding("floating IP", try service.floatingIPs.owned(by: project, in: reader).count),
            ProjectHolding("port", try service.ports.ports(outlivingServersOf: project, in: reader).count),
            ProjectHolding("security group", try service.groups.made(by: project, in: reader).count),
            ProjectHolding("address group", try service.addressGroups.owned(by: project, in: reader).count),
            ProjectHolding("QoS rule set", try service.qos.owned(by: project, in: reader).count),
            ProjectHolding("subnet pool", try service.pools.owned(by: project, in: reader).count),
            ProjectHolding("address scope", try service.pools.ownedScopes(by: project, in: reader).count)
        ]
    }

    /// Leaves what ports of others, or of servers that are still going, hold on to.
    func remove(
        everythingOf project: ProjectID, by origin: RemovalOrigin, in transaction: any SQLTransaction
    ) throws {
        for item in try service.floatingIPs.owned(by: project, in: transaction) {
            try service.dropFloatingIP(item.id, at: origin.now, in: transaction)
        }
        for router in try service.routers.owned(by: project, in: transaction) {
            try service.dropRouter(router.id, at: origin.now, in: transaction)
        }
        for port in try service.ports.ports(outlivingServersOf: project, in: transaction)
        where try !service.isL3Port(port, in: transaction) {
            try service.deletePort(port.id, at: origin.now, in: transaction)
        }
        for network in try service.networks.owned(by: project, in: transaction)
        where try service.ports.user(of: network.id, in: transaction) == nil {
            try service.deleteNetwork(network.id, in: transaction)
        }
        for subnet in try service.subnets.strange(to: project, in: transaction)
        where try !service.addresses.isUsed(subnet.id, in: transaction) {
            try service.deleteSubnet(subnet.id, at: origin.now, in: transaction)
        }
        for group in try service.groups.made(by: project, in: transaction)
        where try !service.members.isUsed(group.id, in: transaction) {
            try service.deleteGroup(group.id, viewer: .everything, in: transaction)
        }
        for group in try service.addressGroups.owned(by: project, in: transaction)
        where try !service.addressGroups.isUsed(group.id, in: transaction) {
            try service.deleteAddressGroup(group.id, in: transaction)
        }
        for policy in try service.qos.owned(by: project, in: transaction)
        where try service.qos.port(with: policy.id, in: transaction) == nil
            && service.qos.network(with: policy.id, in: transaction) == nil
        {
            try service.deleteQoSPolicy(policy.id, in: transaction)
        }
        for pool in try service.pools.owned(by: project, in: transaction)
        where try !service.pools.isUsed(pool.id, in: transaction) {
            try service.deletePool(pool.id, in: transaction)
        }
        for scope in try service.pools.ownedScopes(by: project, in: transaction)
        where try service.pools.pools(in: scope.id, transaction).isEmpty {
            try service.deleteScope(scope.id, in: transaction)
        }
    }

    func tidy(after project: ProjectID, in transaction: any SQLTransaction) throws {
        try service.quotas.reset(project, in: transaction)
        try service.forgetSharing(of: project, in: transaction)
        guard let group = try service.groups.defaultGroup(of: project, in: transaction) else { return }
        // Ports of servers that are on their way out may still be in it: they leave it now.
        for port in try service.members.ports(in: group.id, transaction) {
            try service.members.remove(port, from: [group.id], in: transaction)
            try service.plan.touch(.port(port), in: transaction)
        }
        try service.deleteGroup(group.id, viewer: .everything, in: transaction)
    }
}
