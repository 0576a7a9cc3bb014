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
        try Self.requireSettled(server, to: "\(word == "delete" ? "delete" : "update") metadata")
        server.metadata = try change(server.metadata)
        try ServerSpecProvider.checkSize(server)
        try parts.quotas.check(metadata: server.metadata.count, of: server.project, in: transaction)
        try republish(&server, in: transaction)
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return server.metadata
    }

    /// For tags: marks the server changed, so that nothing rendered before is shown again.
    /// - Throws: ``APIError`` 409 in a state in which tags stay what they are.
    func touch(_ server: ServerRecord, at now: Int64, in transaction: any SQLTransaction) throws {
        try Self.requireSettled(server, to: "update tags")
        var server = server
        try parts.servers.save(&server, at: now, in: transaction)
    }

    private static func requireSettled(_ server: ServerRecord, to what: String) throws {
        guard [.active, .paused, .suspended, .stopped].contains(server.state.vm) else {
            throw APIError.conflict(
                "Cannot '\(what)' instance \(server.id) while it is in vm_state \(server.state.vm.rawValue)")
        }
    }

    /// The guest reads these through the metadata service, so its host must know.
    private func republish(_ server: inout ServerRecord, in transaction: any SQLTransaction) throws {
        guard server.state.task != .deleting, server.state.task != .shelvingOffloading, server.state.vm != .error
        else { return }
        // While a task waits for a status, the new generation is the one to wait for; it holds the task's change too.
        try parts.workflow.plan(&server, in: transaction)
    }
}
