import CoordinatorFleet
import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel

/// What an evacuation call asks for, checked for form only.
struct EvacuateServer: Sendable {
    /// The only host it may be.
    var host: String?
    var adminPassword: String?
    /// The server is left off in its new place, whatever it was.
    var endsStopped = false
}

/// A server of a host that is down, made anew from its image on another one. What the old host has of it is held by the
/// migration until that host is back: it is told then to remove it, before anything else of it can run.
struct ServerEvacuation: Sendable {
    let parts: ComputeParts

    /// - Returns: Whether a host was found; if not, the action has ended with the reason, and the server is what it was.
    func begin(
        _ server: inout ServerRecord, _ command: EvacuateServer, from old: ServerHost, origin: Origin,
        in transaction: any SQLTransaction
    ) throws -> Bool {
        let now = origin.now
        var migration = ServerMigration(
            id: .random(), of: server, by: origin.caller.user, kind: .evacuation, status: .accepted, to: server.flavor,
            at: now)
        let flavor = try parts.flavors.find(server.flavor.id, in: transaction)?.number
        migration.flavorNumbers = (flavor, flavor)
        try hand(server.id.cast(), to: migration.id, "MIGRATION", server, at: now, in: transaction)
        var moved = server
        moved.pinnedHost = nil
        moved.excluded = [old.node: "the server is to leave it"]
        let decision = try HostChoice(parts: parts).claim(&moved, on: command.host, at: now, in: transaction)
        guard let host = moved.host, decision.host != nil else {
            try hand(migration.id, to: server.id.cast(), "INSTANCE", server, at: now, in: transaction)
            migration.status = .error
            try parts.migrations.insert(migration, in: transaction)
            server.fault = ServerFault(
                message: "No valid host was found. \(decision.summary)", details: "", createdAt: now)
            try parts.workflow.endTask(&server, message: "Error", at: now, in: transaction)
            return false
        }
        migration.destination = .init(node: host.node, hostname: host.hostname)
        try parts.migrations.insert(migration, in: transaction)
        try parts.plans.remove(server.key, from: old.node, in: transaction)
        server.host = host
        server.rootDiskVersion += 1
        server.diskImage = nil
        if command.endsStopped { server.state.vm = .stopped }
        server.state.power = .none
        try HostChoice(parts: parts).bind(server, at: now, in: transaction)
        return true
    }

    /// The server is in its new place, or in ERROR there.
    func ended(
        _ outcome: HostedOutcome, of server: ServerRecord, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        guard var migration = try parts.migrations.evacuation(of: server.id, in: transaction) else { return }
        migration.status = outcome == .completed ? .done : .error
        try parts.migrations.save(migration, at: now, in: transaction)
    }

    /// The old host is back, and has nothing of it any more.
    func left(
        _ server: ServerRecord, _ node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        for var migration in try parts.migrations.evacuations(of: server.id, from: node, in: transaction) {
            try parts.placement.release(migration.id, at: now, in: transaction)
            if migration.status == .done { migration.status = .completed }
            try parts.migrations.save(migration, at: now, in: transaction)
        }
    }

    private func hand(
        _ consumer: AnyID, to other: AnyID, _ type: String, _ server: ServerRecord, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        try parts.placement.hand(
            consumer, to: .init(id: other, type: type, project: server.project, user: server.user), at: now,
            in: transaction)
    }
}

extension ServerCommands {
    /// - Throws: ``APIError`` in the compute API's words.
    func evacuate(
        _ id: String, _ command: EvacuateServer, origin: Origin, in transaction: any SQLTransaction
    ) throws -> ServerRecord {
        var server = try access.find(id, asking: "os-evacuate", by: origin.permissions, in: transaction)
        if let host = command.host {
            guard try parts.placement.hasHost(named: host, role: .compute, in: transaction) else {
                throw APIError.notFound("Compute host \(host) not found.")
            }
            guard host != server.host?.hostname else {
                throw APIError.badRequest("The target host can't be the same one.")
            }
        }
        try accept(.evacuate, server)
        guard let old = server.host else { throw APIError.conflict("Instance \(server.id) is not ready") }
        guard try parts.directory.node(old.node, in: transaction)?.health == .down else {
            throw APIError.badRequest("Compute service of \(old.hostname) is still in use.")
        }
        guard server.state.task != .deleting else {
            throw APIError.conflict("Cannot 'evacuate' instance \(server.id) while it is in task_state deleting")
        }
        try ServerResizing(parts: parts).settle(&server, at: origin.now, in: transaction)
        try ServerImaging(parts: parts).drop(&server, in: transaction)
        try begin(&server, "evacuate", task: .rebuilding, origin: origin, in: transaction)
        let evacuation = ServerEvacuation(parts: parts)
        if try evacuation.begin(&server, command, from: old, origin: origin, in: transaction) {
            if let password = command.adminPassword { server.adminPassword = password }
            try workflow.plan(&server, server.state.vm == .stopped ? .stopped : .running, in: transaction)
        }
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return server
    }
}
