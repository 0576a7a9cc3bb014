import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel

/// What projects and users have of this slice: servers; server groups, quotas and rights to flavors are housekeeping, and keypairs
/// are their user's.
struct ComputeHoldings: ProjectHoldings {
    let parts: ComputeParts

    func remaining(of project: ProjectID, in reader: any SQLReader) throws -> [ProjectHolding] {
        [ProjectHolding("server", try parts.servers.countOwned(by: project, in: reader))]
    }

    /// Asks the hosts to delete the servers. From then on they have an owner and a deadline of their own.
    func remove(
        everythingOf project: ProjectID, by origin: RemovalOrigin, in transaction: any SQLTransaction
    ) throws {
        let origin = Origin(
            permissions: origin.permissions, project: project, requestID: origin.requestID, now: origin.now)
        let commands = ServerCommands(parts: parts)
        for server in try parts.servers.owned(by: project, in: transaction) {
            _ = try commands.delete(server, origin: origin, in: transaction)
        }
    }

    func tidy(after project: ProjectID, in transaction: any SQLTransaction) throws {
        try parts.quotas.ledger.reset(project, in: transaction)
        try ServerGroups(parts: parts).deleteAll(of: project, in: transaction)
        try parts.flavors.revokeAll(of: project, in: transaction)
    }

    func tidy(after user: UserID, in transaction: any SQLTransaction) throws {
        try parts.keypairs.deleteAll(of: user, in: transaction)
    }
}
