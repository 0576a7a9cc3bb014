import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// Deleted servers that can be had back for a while.
extension ServerCommands {
    func softDelete(
        _ server: ServerRecord, origin: Origin, in transaction: any SQLTransaction
    ) throws -> ServerRecord {
        var server = server
        if server.state.task == .deleting || server.state.vm == .softDeleted || server.state.task == .softDeleting {
            return server
        }
        if server.state.task == .shelvingOffloading {
            throw APIError.conflict("Instance \(server.id) is leaving its host: try again when it is shelved.")
        }
        let health = try server.host.flatMap { try parts.directory.node($0.node, in: transaction)?.health }
        let isSilent = server.state.vm == .error || health == .down
        try ServerImaging(parts: parts).drop(&server, in: transaction)
        try ServerResizing(parts: parts).settle(&server, at: origin.now, in: transaction)
        try begin(&server, "delete", task: .softDeleting, origin: origin, in: transaction)
        try workflow.plan(&server, .stopped, in: transaction)
        if isSilent {
            // Nobody will say that it is off; it is, by its plan, when its host is back.
            server.state.vm = .softDeleted
            server.softDeletedAt = origin.now
            try workflow.endTask(&server, message: nil, at: origin.now, in: transaction)
        }
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return server
    }

    func restore(_ id: String, origin: Origin, in transaction: any SQLTransaction) throws -> ServerRecord {
        var server = try access.findToChange(
            id, rule: "os-deferred-delete:restore", by: origin.permissions, in: transaction)
        try accept(.restore, server)
        try parts.quotas.claim(
            [.init("instances"), .init("cores", server.flavor.vcpus), .init("ram", server.flavor.memoryMiB)],
            for: server.project, in: transaction)
        try begin(&server, "restore", task: .restoring, origin: origin, in: transaction)
        try workflow.plan(&server, .running, in: transaction)
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return server
    }

    /// Deletes for good what nobody wanted back in time.
    func reclaim(at now: Int64, in transaction: any SQLTransaction) throws {
        let limit = now - parts.settings.reclaimSeconds * 1_000_000
        for var server in try parts.servers.reclaimable(before: limit, in: transaction) {
            let origin = HostedOrigin(
                requestID: "req-\(AnyID.random())", user: server.user, project: server.project)
            try remove(&server, by: origin, at: now, in: transaction)
        }
    }
}
