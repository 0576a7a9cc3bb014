import CoordinatorPlatform
import ProtocolModel

/// What users do with servers that exist.
struct ServerCommands: Sendable {
    let parts: ComputeParts
    private var workflow: ServerWorkflow { ServerWorkflow(parts: parts) }
    private var access: ServerAccess { ServerAccess(parts: parts) }

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
        try begin(&server, command.name, task: acceptance.task, origin: origin, in: transaction)
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
        .resume: "os-suspend-server:resume"
    ]

    /// Deletes a server: at once where no host holds anything of it, else when its host says so or is too long silent.
    func delete(_ id: String, origin: Origin, in transaction: any SQLTransaction) throws -> ServerRecord {
        let server = try access.findToChange(id, rule: "servers:delete", by: origin.permissions, in: transaction)
        return try delete(server, origin: origin, in: transaction)
    }

    /// The same without asking any rule: the server goes with its project.
    func delete(_ server: ServerRecord, origin: Origin, in transaction: any SQLTransaction) throws -> ServerRecord {
        var server = server
        if server.state.task == .deleting { return server }
        _ = try accept(.delete, server)
        try begin(&server, "delete", task: .deleting, origin: origin, in: transaction)
        try parts.tags.removeAll(from: server.id, in: transaction)
        if let host = server.host {
            server.planGeneration = try parts.plans.remove(.server(server.id), from: host.node, in: transaction)
            if try parts.directory.node(host.node, in: transaction)?.health == .down {
                try workflow.hide(&server, at: origin.now, in: transaction)
            }
        } else {
            try parts.network.releasePorts(of: server.id, at: origin.now, in: transaction)
            try parts.placement.release(server.id.cast(), at: origin.now, in: transaction)
            try workflow.hide(&server, at: origin.now, in: transaction)
        }
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return server
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

    /// An administrator declares what a server is, whatever it seems to be.
    func reset(
        _ id: String, to vm: VMState, origin: Origin, in transaction: any SQLTransaction
    ) throws -> ServerRecord {
        var server = try access.find(
            id, asking: "os-admin-actions:reset_state", by: origin.permissions, in: transaction)
        try workflow.endTask(&server, message: nil, at: origin.now, in: transaction)
        server.state.vm = vm
        if vm == .active { server.fault = nil }
        try note("reset_state", server, origin: origin, in: transaction)
        try parts.servers.save(&server, at: origin.now, in: transaction)
        return server
    }

    private func accept(
        _ command: ServerLifecycle.Command, _ server: ServerRecord
    ) throws -> ServerLifecycle.Acceptance {
        do {
            return try ServerLifecycle.accept(command, in: server.state)
        } catch {
            throw APIError.conflict(error.message(server: server.id))
        }
    }

    /// Opens an action with its task and deadline; one that it overtakes is closed.
    private func begin(
        _ server: inout ServerRecord, _ name: String, task: TaskState, origin: Origin,
        in transaction: any SQLTransaction
    ) throws {
        if let action = server.actionID {
            try parts.actions.finish(action, message: nil, at: origin.now, in: transaction)
        }
        server.actionID = try note(name, server, origin: origin, in: transaction)
        server.state.task = task
        server.operation = nil
        server.taskDeadline = origin.now + task.allowedSeconds * 1_000_000
    }

    @discardableResult
    private func note(
        _ name: String, _ server: ServerRecord, origin: Origin, in transaction: any SQLTransaction
    ) throws -> Int64 {
        try parts.actions.begin(
            name, server: server.id, requestID: origin.requestID, user: origin.caller.user,
            project: origin.caller.project ?? server.project, at: origin.now, in: transaction)
    }

    private func reboot(
        _ server: inout ServerRecord, _ action: Operation.Action, _ origin: Origin, in transaction: any SQLTransaction
    ) throws {
        guard let node = server.host?.node else { return }
        let deadline = origin.now + (TaskState.rebooting.allowedSeconds - 20) * 1_000_000
        server.operation = try parts.operations.submit(action, on: node, deadline: deadline, in: transaction)
    }
}
