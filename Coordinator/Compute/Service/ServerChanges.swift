import CoordinatorPlatform
import ProtocolModel

/// Changes of what a server is called and labelled with.
struct ServerChanges: Sendable {
    let parts: ComputeParts
    private var access: ServerAccess { ServerAccess(parts: parts) }

    init(parts: ComputeParts) { self.parts = parts }

    struct Update: Sendable {
        var name: String?
        /// `.some(nil)` removes it.
        var description: String??
        var hostname: String?
        var accessIPv4: String?
        var accessIPv6: String?
        var diskConfig: String?
    }

    func update(_ id: String, _ update: Update, origin: Origin, in transaction: any SQLTransaction) throws
        -> ServerRecord
    {
        var server = try access.findToChange(
            id, rule: "servers:update", by: origin.permissions, ignoringLock: true, in: transaction)
        if let name = update.name { server.name = name }
        if let description = update.description { server.description = description }
        if let hostname = update.hostname { server.hostname = hostname }
        if let address = update.accessIPv4 { server.accessIPv4 = address }
        if let address = update.accessIPv6 { server.accessIPv6 = address }
        if let config = update.diskConfig { server.diskConfig = config }
        if update.name != nil || update.hostname != nil { try republish(&server, in: transaction) }
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return server
    }

    /// - Parameter change: Gets the metadata and returns what it shall be.
    func updateMetadata(
        _ id: String, word: String, origin: Origin, in transaction: any SQLTransaction,
        _ change: ([String: String]) throws -> [String: String]
    ) throws -> [String: String] {
        var server = try access.findToChange(
            id, rule: "server-metadata:\(word)", by: origin.permissions, in: transaction)
        guard [.active, .paused, .suspended, .stopped].contains(server.state.vm) else {
            let verb = word == "delete" ? "delete" : "update"
            throw APIError.conflict(
                "Cannot '\(verb) metadata' instance \(server.id) while it is in vm_state \(server.state.vm.rawValue)")
        }
        server.metadata = try change(server.metadata)
        try ServerSpecProvider.checkSize(server)
        let limits = try QuotaRules(parts: parts).limits(of: server.project.compact, in: transaction)
        try QuotaRules(parts: parts).check(metadata: server.metadata.count, limits: limits)
        try republish(&server, in: transaction)
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return server.metadata
    }

    /// For tags: marks the server changed, so that nothing rendered before is shown again.
    func touch(_ server: inout ServerRecord, origin: Origin, in transaction: any SQLTransaction) throws {
        try parts.servers.save(&server, at: origin.now, in: transaction)
    }

    /// The guest reads these through the metadata service, so its host must know.
    private func republish(_ server: inout ServerRecord, in transaction: any SQLTransaction) throws {
        guard server.state.task != .deleting, let node = server.host?.node, server.state.vm != .error else { return }
        let generation = try parts.plans.put(.server(server.id), on: node, in: transaction)
        // While a task waits for a status, the new generation is the one to wait for; it holds the task's change too.
        server.planGeneration = generation
    }
}
