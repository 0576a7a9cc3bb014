import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// What users do with servers that exist.
struct ServerCommands: Sendable {
    let parts: ComputeParts
    var workflow: HostedWorkflow<ServerHosting> { parts.workflow }
    var access: ServerAccess { ServerAccess(parts: parts) }

    init(parts: ComputeParts) { self.parts = parts }

    /// Seconds a guest gets to shut itself down before a soft reboot resets it.
    private static let rebootGrace = 60

    /// Begins a power command: its task, its deadline, and either a change of the plan or an operation.
    func run(
        _ command: ServerLifecycle.Command, on id: String, origin: Origin, in transaction: any SQLTransaction
    ) throws -> ServerRecord {
        var server = try access.findToChange(
            id, rule: Self.rules[command] ?? "servers:\(command.name)", by: origin.permissions, in: transaction)
        let acceptance = try accept(command, server)
        guard server.host != nil else {
            throw APIError.conflict("Instance \(server.id) has no host any more: delete it and make it anew.")
        }
        guard let task = acceptance.task else { return server }
        try begin(&server, command.name, task: task, origin: origin, in: transaction)
        switch command {
        case .softReboot:
            try reboot(&server, .softReboot(server.id, graceSeconds: Self.rebootGrace), origin, in: transaction)
        case .hardReboot:
            // A guest that does not run is started by the plan; what runs is reset by the operation.
            if server.power != .running { try workflow.plan(&server, .running, in: transaction) }
            try reboot(&server, .hardReboot(server.id), origin, in: transaction)
        default:
            if let power = acceptance.power { try workflow.plan(&server, power, in: transaction) }
        }
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return server
    }

    private static let rules: [ServerLifecycle.Command: String] = [
        .pause: "os-pause-server:pause", .unpause: "os-pause-server:unpause", .suspend: "os-suspend-server:suspend",
        .resume: "os-suspend-server:resume", .unrescue: "os-unrescue"
    ]

    /// Deletes a server: at once where no host holds anything of it, else when its host says so or is too long silent.
    /// Where deleted servers are kept for a while, it is only stopped, and hidden.
    func delete(_ id: String, origin: Origin, in transaction: any SQLTransaction) throws -> ServerRecord {
        let server = try access.findToChange(id, rule: "servers:delete", by: origin.permissions, in: transaction)
        guard parts.settings.reclaimSeconds > 0, server.state.hasLaunched, server.host != nil else {
            return try delete(server, origin: origin, in: transaction)
        }
        return try softDelete(server, origin: origin, in: transaction)
    }

    func forceDelete(_ id: String, origin: Origin, in transaction: any SQLTransaction) throws -> ServerRecord {
        let server = try access.findToChange(
            id, rule: "os-deferred-delete:force", by: origin.permissions, in: transaction)
        return try delete(server, origin: origin, in: transaction)
    }

    /// The same without asking any rule: the server goes with its project.
    func delete(_ server: ServerRecord, origin: Origin, in transaction: any SQLTransaction) throws -> ServerRecord {
        var server = server
        if server.state.task == .deleting { return server }
        try accept(.delete, server)
        try remove(&server, by: origin.action(on: server), at: origin.now, in: transaction)
        return server
    }

    func remove(
        _ server: inout ServerRecord, by origin: HostedOrigin, at now: Int64, in transaction: any SQLTransaction
    ) throws {
        try ServerImaging(parts: parts).drop(&server, in: transaction)
        if let image = server.shelvedImage { try parts.image.discard(image, in: transaction) }
        server.shelvedImage = nil
        try workflow.begin(&server, "delete", task: .deleting, by: origin, at: now, in: transaction)
        try parts.servers.tags.removeAll(from: server.id, in: transaction)
        try parts.consoles?.revokeAll(of: server.id, in: transaction)
        let node = try server.host.flatMap { try parts.directory.node($0.node, in: transaction) }
        try workflow.remove(&server, isHostDown: node?.health == .down, at: now, in: transaction)
        try parts.servers.save(&server, at: now, in: transaction)
    }

    func lock(_ id: String, reason: String?, origin: Origin, in transaction: any SQLTransaction) throws -> ServerRecord
    {
        var server = try access.findToChange(
            id, rule: "os-lock-server:lock", by: origin.permissions, ignoringLock: true, in: transaction)
        let isOwner = origin.caller.project == server.project
        if server.lockedBy != nil, isOwner { return server }
        server.lockedBy = isOwner ? "owner" : "admin"
        server.lockedReason = reason
        try note("lock", server, origin: origin, in: transaction)
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return server
    }

    func unlock(_ id: String, origin: Origin, in transaction: any SQLTransaction) throws -> ServerRecord {
        var server = try access.findToChange(
            id, rule: "os-lock-server:unlock", by: origin.permissions, ignoringLock: true, in: transaction)
        if server.lockedBy == "admin" {
            try origin.permissions.require(
                ComputePolicy.prefix + "os-lock-server:unlock:unlock_override", ComputePolicy.target(server))
        }
        server.lockedBy = nil
        server.lockedReason = nil
        try note("unlock", server, origin: origin, in: transaction)
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return server
    }

    /// An administrator declares what a server is. Its host is asked at once, and what it shows is what the server becomes.
    func reset(
        _ id: String, to vm: VMState, origin: Origin, in transaction: any SQLTransaction
    ) throws -> ServerRecord {
        var server = try access.find(
            id, asking: "os-admin-actions:reset_state", by: origin.permissions, in: transaction)
        guard vm != .active || server.host != nil else {
            throw APIError.conflict("Instance \(server.id) is on no host: delete it and make it anew.")
        }
        try workflow.endTask(&server, message: nil, at: origin.now, in: transaction)
        try ServerResizing(parts: parts).settle(&server, at: origin.now, in: transaction)
        try ServerImaging(parts: parts).drop(&server, in: transaction)
        server.state.vm = vm
        if vm == .active {
            server.fault = nil
            server.state.hasLaunched = true
            // A guest that is off stays off: the host says so, and the server follows.
            try workflow.plan(&server, server.state.isDown ? .stopped : .running, in: transaction)
        }
        try note("resetState", server, origin: origin, in: transaction)
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return server
    }

    /// - Throws: ``APIError`` 409 in the compute API's words.
    @discardableResult
    func accept(
        _ command: ServerLifecycle.Command, _ server: ServerRecord
    ) throws -> ServerLifecycle.Acceptance {
        do {
            return try ServerLifecycle.accept(command, in: server.state)
        } catch {
            throw APIError.conflict(error.message(server: server.id))
        }
    }

    func begin(
        _ server: inout ServerRecord, _ name: String, task: TaskState, origin: Origin,
        in transaction: any SQLTransaction
    ) throws {
        try workflow.begin(
            &server, name, task: task, by: origin.action(on: server), at: origin.now, in: transaction)
    }

    /// A server on a host that can be told something now.
    /// - Throws: ``APIError`` 409.
    func requireHost(_ server: ServerRecord, in reader: any SQLReader) throws -> ServerHost {
        guard let host = server.host else { throw APIError.conflict("Instance \(server.id) is not ready") }
        guard try parts.directory.node(host.node, in: reader)?.health != .down else {
            throw APIError.conflict("Service is unavailable at this time.")
        }
        return host
    }

    /// An action that is done at once.
    func note(
        _ name: String, _ server: ServerRecord, origin: Origin, in transaction: any SQLTransaction
    ) throws {
        _ = try parts.log.begin(
            name, on: server.key, by: origin.action(on: server), at: origin.now, in: transaction)
    }

    private func reboot(
        _ server: inout ServerRecord, _ action: Operation.Action, _ origin: Origin, in transaction: any SQLTransaction
    ) throws {
        guard let node = server.host?.node else { return }
        let deadline = origin.now + (TaskState.rebooting.allowedSeconds - 20) * 1_000_000
        server.operation = try parts.operations.submit(action, on: node, deadline: deadline, in: transaction)
    }
}
