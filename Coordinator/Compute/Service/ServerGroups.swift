import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

/// Server groups: who may see and change them, and how servers come into them.
struct ServerGroups: Sendable {
    let parts: ComputeParts
    private var store: ServerGroupStore { parts.groups }

    init(parts: ComputeParts) { self.parts = parts }

    /// - Throws: ``APIError`` 403.
    func create(_ group: ServerGroup, in transaction: any SQLTransaction) throws {
        do {
            try parts.quotas.ledger.claim("server_groups", for: group.project, in: transaction)
        } catch is QuotaExceeded {
            throw APIError.forbidden("Quota exceeded, too many server groups.")
        }
        try store.insert(group, in: transaction)
    }

    /// - Parameter id: As it stands in the path.
    /// - Throws: ``APIError`` 404 also for groups of other projects.
    func find(_ id: String, caller: Caller, in reader: any SQLReader) throws -> ServerGroup {
        guard let uuid = ServerGroupID(id), let group = try store.find(uuid, in: reader),
            caller.isAdmin || caller.project == group.project
        else { throw Self.missing(id) }
        return group
    }

    static func missing(_ id: String) -> APIError { .notFound("Instance group \(id) could not be found.") }

    /// Its servers stay where they are, and are free to go anywhere.
    func delete(_ group: ServerGroup, in transaction: any SQLTransaction) throws {
        try store.delete(group.id, in: transaction)
        try parts.placement.forget(group: group.id.cast(), in: transaction)
    }

    func deleteAll(of project: ProjectID, in transaction: any SQLTransaction) throws {
        for id in try store.deleteAll(of: project, in: transaction) {
            try parts.placement.forget(group: id.cast(), in: transaction)
        }
    }

    /// The group that a create call names for so many servers.
    /// - Throws: ``APIError`` 400 for one that is not there or another project's, 403 for one that gets too large.
    func joining(_ id: String, count: Int, origin: Origin, in reader: any SQLReader) throws -> ServerGroup {
        let group: ServerGroup
        do { group = try find(id, caller: origin.caller, in: reader) } catch let error as APIError {
            throw APIError.badRequest(error.message)
        }
        let limit = try parts.quotas.ledger.limit("server_group_members", of: group.project, in: reader)
        let members = try store.members(of: [group.id], in: reader)[group.id] ?? []
        guard limit < 0 || members.count + count <= limit else {
            throw APIError.forbidden("Quota exceeded, too many servers in group")
        }
        return group
    }
}
