import CoordinatorPlatform
import ProtocolModel

/// Moves to other hosts that are up.
extension ServerCommands {
    /// To another host, through an image of its disk; what follows is as after a resize.
    /// - Throws: ``APIError`` in the compute API's words.
    func migrate(
        _ id: String, to host: String?, origin: Origin, in transaction: any SQLTransaction
    ) throws -> ServerRecord {
        let rule = "os-migrate-server:migrate" + (host == nil ? "" : ":host")
        var server = try access.findToChange(id, rule: rule, by: origin.permissions, in: transaction)
        try accept(.migrate, server)
        let old = try requireHost(server, in: transaction)
        if let host {
            guard host != old.hostname else {
                throw APIError.badRequest("Cannot migrate to the host where the server exists.")
            }
            try requireKnown(host, in: transaction)
        }
        if let obstacle = try ServerMigrating(parts: parts).obstacle(to: server, in: transaction) {
            throw APIError.badRequest("No valid host was found. \(obstacle)")
        }
        try begin(&server, "migrate", task: .resizePrep, origin: origin, in: transaction)
        try ServerResizing(parts: parts).begin(
            &server, .init(kind: .migration, flavor: server.flavor, host: host), from: old, origin: origin,
            in: transaction)
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return server
    }

    /// - Throws: ``APIError`` always: a running guest's disk is on its host, and nothing moves it yet.
    func liveMigrate(
        _ id: String, to host: String?, origin: Origin, in transaction: any SQLTransaction
    ) throws -> ServerRecord {
        let rule = "os-migrate-server:migrate_live" + (host == nil ? "" : ":host")
        let server = try access.findToChange(id, rule: rule, by: origin.permissions, in: transaction)
        try accept(.liveMigrate, server)
        if let host { try requireKnown(host, in: transaction) }
        let name = server.host?.hostname ?? ""
        guard host == nil || host != name else {
            throw APIError.badRequest(
                "Unable to migrate instance (\(server.id)) to current host (\(name)).")
        }
        throw APIError.badRequest(
            "Migration pre-check error: the disk of instance \(server.id) is on its host's own storage, and is not "
                + "moved.")
    }

    private func requireKnown(_ host: String, in transaction: any SQLTransaction) throws {
        guard try parts.placement.hasHost(named: host, role: .compute, in: transaction) else {
            throw APIError.badRequest("Compute host \(host) could not be found.")
        }
    }

    // MARK: What has no task

    /// The host is told anew of the server and its ports, and puts right what is not as it should be.
    func injectNetworkInfo(
        _ id: String, origin: Origin, in transaction: any SQLTransaction
    ) throws -> ServerRecord {
        var server = try access.findToChange(
            id, rule: "os-admin-actions:inject_network_info", by: origin.permissions, in: transaction)
        guard server.host != nil, server.state.task != .deleting, server.state.task != .shelvingOffloading else {
            throw APIError.conflict("Instance \(server.id) is not ready")
        }
        try workflow.plan(&server, in: transaction)
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return server
    }
}
