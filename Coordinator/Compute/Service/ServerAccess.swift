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

    /// For changes: members of the project only, and nobody but administrators past a lock.
    /// - Parameter rule: The rule's name in refusals, without its prefix.
    func findToChange(
        _ id: String, rule: String, caller: Caller, ignoringLock: Bool = false, in reader: any SQLReader
    ) throws -> ServerRecord {
        let server = try find(id, caller: caller, in: reader)
        try ComputePolicy.requireMember(caller, rule)
        if !ignoringLock, server.lockedBy != nil, !caller.isAdmin {
            throw APIError.conflict("Instance \(server.id) is locked")
        }
        return server
    }
}

/// The compute API's default policy in so far as it is the same everywhere.
enum ComputePolicy {
    static func requireMember(_ caller: Caller, _ rule: String) throws {
        guard caller.isAdmin || caller.roles.contains("member") else { throw refusal(rule) }
    }

    static func requireAdmin(_ caller: Caller, _ rule: String) throws {
        guard caller.isAdmin else { throw refusal(rule) }
    }

    static func refusal(_ rule: String) -> APIError {
        .forbidden("Policy doesn't allow os_compute_api:\(rule) to be performed.")
    }
}
