import CoordinatorIdentity
import CoordinatorPlatform
import ProtocolModel

/// What projects and users have of this slice: servers; quotas and rights to flavors are housekeeping, and keypairs
/// are their user's.
struct ComputeHoldings: ProjectHoldings {
    let parts: ComputeParts
    private let owned = OwnershipStore()

    init(parts: ComputeParts) { self.parts = parts }

    func remaining(of project: ProjectID, in reader: any SQLReader) throws -> [ProjectHolding] {
        [ProjectHolding("server", try owned.servers(of: project, in: reader).count)]
    }

    /// Asks the hosts to delete the servers. From then on they have an owner and a deadline of their own.
    func remove(
        everythingOf project: ProjectID, by origin: RemovalOrigin, in transaction: any SQLTransaction
    ) throws {
        let origin = Origin(
            permissions: origin.permissions, project: project, requestID: origin.requestID, now: origin.now)
        let commands = ServerCommands(parts: parts)
        for id in try owned.servers(of: project, in: transaction) {
            guard let server = try parts.servers.find(id, in: transaction) else { continue }
            // One that cannot be deleted in the state it is in stays, and is counted.
            do {
                _ = try commands.delete(server, origin: origin, in: transaction)
            } catch let error as APIError where error.status == 409 { continue }
        }
    }

    func tidy(after project: ProjectID, in transaction: any SQLTransaction) throws {
        for name in [project.text, project.compact] { try parts.quotas.clear(name, in: transaction) }
        try owned.removeFlavorAccess(of: project, in: transaction)
    }

    func tidy(after user: UserID, in transaction: any SQLTransaction) throws {
        try owned.removeKeypairs(of: user, in: transaction)
    }
}
