import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel

/// What projects have of this slice. The default group and the quotas are housekeeping.
public struct NetworkHoldings: ProjectHoldings {
    let service: NetworkService
    private let owned = OwnershipStore()

    init(service: NetworkService) { self.service = service }

    public func remaining(of project: ProjectID, in reader: any SQLReader) throws -> [ProjectHolding] {
        [
            ProjectHolding("network", try owned.networks(of: project, in: reader).count),
            ProjectHolding("subnet", try owned.strangeSubnets(of: project, in: reader).count),
            ProjectHolding("port", try owned.ports(of: project, in: reader).count),
            ProjectHolding("security group", try owned.groups(of: project, in: reader).count)
        ]
    }

    /// Leaves what ports of others, or of servers that are still going, hold on to.
    public func remove(
        everythingOf project: ProjectID, by origin: RemovalOrigin, in transaction: any SQLTransaction
    ) throws {
        for port in try owned.ports(of: project, in: transaction) {
            try service.deletePort(port, at: origin.now, in: transaction)
        }
        for network in try owned.networks(of: project, in: transaction)
        where try service.ports.user(of: network, in: transaction) == nil {
            try service.deleteNetwork(network, in: transaction)
        }
        for subnet in try owned.strangeSubnets(of: project, in: transaction)
        where try service.addresses.holder(in: subnet, exceptOwner: PortRecord.dhcpOwner, in: transaction) == nil {
            try service.deleteSubnet(subnet, at: origin.now, in: transaction)
        }
        for group in try owned.groups(of: project, in: transaction)
        where try !service.groups.isUsed(group, in: transaction) {
            try service.deleteGroup(group, viewer: Self.administrator, in: transaction)
        }
    }

    public func tidy(after project: ProjectID, in transaction: any SQLTransaction) throws {
        try service.quotas.reset(project, in: transaction)
        guard let group = try service.groups.defaultGroup(of: project, in: transaction) else { return }
        // Ports of servers that are on their way out may still be in it: they leave it now.
        for port in try owned.ports(in: group.id, transaction) {
            try service.groups.remove(port, from: [group.id], in: transaction)
            try service.plan.touch(.port(port), in: transaction)
        }
        try service.deleteGroup(group.id, viewer: Self.administrator, in: transaction)
    }

    private static let administrator = Viewer(isAdmin: true, project: nil)
}

extension NetworkSlice {
    public var holdings: any ProjectHoldings { NetworkHoldings(service: service) }
}
