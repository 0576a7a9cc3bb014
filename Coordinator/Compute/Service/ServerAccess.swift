import CoordinatorPlatform
import ProtocolModel

/// Who may do what with which server.
struct ServerAccess: Sendable {
    let parts: ComputeParts

    /// - Parameter id: As it stands in the path.
    /// - Parameter includingDeleted: Administrators find deleted servers too, and everybody does where the API says so.
    /// - Throws: ``APIError`` 404 also for servers of other projects.
    func find(
        _ id: String, caller: Caller, includingDeleted: Bool = false, in reader: any SQLReader
    ) throws -> ServerRecord {
        guard let uuid = ServerID(id), let server = try parts.servers.find(uuid, in: reader),
            includingDeleted || !server.isDeleted, caller.isAdmin || caller.project == server.project
        else { throw APIError.notFound("Instance \(id) could not be found.") }
        return server
    }

    /// For reads that a rule decides.
    /// - Parameter rule: Without its prefix.
    func find(
        _ id: String, asking rule: String, by permissions: Permissions, includingDeleted: Bool = false,
        in reader: any SQLReader
    ) throws -> ServerRecord {
        let server = try find(
            id, caller: permissions.caller, includingDeleted: includingDeleted, in: reader)
        try permissions.require(ComputePolicy.prefix + rule, ComputePolicy.target(server))
        return server
    }

    /// For changes: nobody but administrators gets past a lock.
    /// - Parameter rule: Without its prefix.
    func findToChange(
        _ id: String, rule: String, by permissions: Permissions, ignoringLock: Bool = false, in reader: any SQLReader
    ) throws -> ServerRecord {
        let server = try find(id, asking: rule, by: permissions, in: reader)
        if !ignoringLock, server.lockedBy != nil, !permissions.caller.isAdmin {
            throw APIError.conflict("Instance \(server.id) is locked")
        }
        return server
    }
}
