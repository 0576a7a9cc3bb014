import CoordinatorFleet
import CoordinatorImage
import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel

/// `POST /servers/{id}/action` and what belongs to it.
struct ServerActionRoutes: Sendable {
    let parts: ComputeParts
    let reader: ServerReader
    let proxies: ProxyCalls

    var all: [Route] {
        [
            Route(.post, "/v2.1/servers/{server_id}/action", action: "compute.server.action", handler: act)
                .askingCompute(
                    "servers:start", "servers:stop", "servers:reboot", "servers:delete", "os-pause-server:pause",
                    "os-pause-server:unpause", "os-suspend-server:suspend", "os-suspend-server:resume",
                    "os-lock-server:lock", "os-lock-server:unlock", "os-lock-server:unlock:unlock_override",
                    "os-admin-actions:reset_state", "os-console-output", "os-remote-consoles", "servers:rebuild",
                    "servers:rebuild:trusted_certs", "os-rescue", "os-unrescue", "servers:resize",
                    "servers:confirm_resize", "servers:revert_resize", "os-deferred-delete:restore",
                    "os-deferred-delete:force", "os-evacuate", "os-migrate-server:migrate",
                    "os-migrate-server:migrate:host", "os-migrate-server:migrate_live",
                    "os-migrate-server:migrate_live:host", "os-admin-password", "servers:trigger_crash_dump",
                    "os-admin-actions:inject_network_info", "servers:create_image", "os-create-backup",
                    "os-shelve:shelve", "os-shelve:shelve_offload", "os-shelve:unshelve",
                    "os-shelve:unshelve_to_host"
                )
                .asking(ImageSlice.serverImageRules)
                .asking(ServerNetworkActions.rules.map { ComputePolicy.prefix + $0 })
                .asking(NetworkSlice.serverPortRules + FloatingIPProxy.actionRules)
        ]
    }

    /// What an action does with its argument, and the argument's name for refusals.
    typealias Action = @Sendable (_ routes: Self, _ call: APICall, _ argument: JSON) async throws -> APIResponse

    /// An action whose argument says nothing.
    static func plain(_ command: ServerLifecycle.Command) -> Action {
        { routes, call, _ in try await routes.run(command, call) }
    }

    private static let actions = [own, rebuilding, resizing, moving, imaging, reaching, looking].reduce(into: [:]) {
        all, some in
        all.merge(some) { first, _ in first }
    }

    private static let own: [String: Action] = [
        "os-start": plain(.start), "os-stop": plain(.stop), "pause": plain(.pause), "unpause": plain(.unpause),
        "suspend": plain(.suspend), "resume": plain(.resume),
        "reboot": { routes, call, argument in
            let type = try Nova.read(argument, rebootType, under: "reboot")
            return try await routes.run(type.uppercased() == "HARD" ? .hardReboot : .softReboot, call)
        },
        "lock": { routes, call, argument in
            let reason = call.microversion.has(73) ? try Nova.read(argument, lockReason, under: "lock") : nil
            return try await routes.write(call) { try $0.lock($1, reason: reason, origin: $2, in: $3) }
        },
        "unlock": { routes, call, _ in
            try await routes.write(call) { try $0.unlock($1, origin: $2, in: $3) }
        },
        "os-resetState": { routes, call, argument in
            let state = try Nova.read(argument, resetState, under: "os-resetState")
            return try await routes.write(call) { try $0.reset($1, to: state, origin: $2, in: $3) }
        },
        "os-getConsoleOutput": { routes, call, argument in
            try await routes.console(call, lines: try Nova.read(argument, length, under: "os-getConsoleOutput"))
        }
    ]

    private static let rebootType = BodySchema(
        blank: "", [.required("type", \.self, .word(of: ["HARD", "Hard", "hard", "SOFT", "Soft", "soft"]))]
    ).format()
    private static let resetState = BodySchema(
        blank: "", [.required("state", \.self, .word(of: ["active", "error"]))]
    ).format().map { state, _ in state == "error" ? VMState.error : .active }
    private static let lockReason = BodySchema<String?>(
        blank: nil, [.optional("locked_reason", \.self, .text(1...255))]
    ).format().nullable.map { reason, _ in reason ?? nil }
    /// Lines of a console; `nil` for all.
    private static let length = BodySchema<Int?>(
        blank: nil, [.given("length", \.self, BodyFormat<Int>.integer(-1...Int.max, orText: true).nullable)]
    ).format().map { lines, _ in lines == -1 ? nil : lines }

    @Sendable private func act(_ call: APICall) async throws -> APIResponse {
        let body = try await call.json()
        guard let names = body.objectValue?.keys.sorted(), let first = names.first else {
            throw APIError.badRequest("Malformed request body")
        }
        if let name = names.first(where: { ServerNetworkActions.all[$0] != nil }),
            let action = ServerNetworkActions.all[name]
        {
            return try await action(.init(parts: parts, proxies: proxies), call, body[name] ?? .null)
        }
        guard let name = names.first(where: { Self.actions[$0] != nil }), let action = Self.actions[name] else {
            throw APIError.badRequest("There is no such action: \(first)")
        }
        let argument = try BodySchema(blank: JSON.null, [.required(name, \.self, .any)])
            .read(body, wording: Nova.body)
        return try await action(self, call, argument)
    }

    private func run(_ command: ServerLifecycle.Command, _ call: APICall) async throws -> APIResponse {
        try await write(call) { try $0.run(command, on: $1, origin: $2, in: $3) }
    }

    func write(
        _ call: APICall,
        _ body: @escaping @Sendable (ServerCommands, String, Origin, any SQLTransaction) throws -> ServerRecord
    ) async throws -> APIResponse {
        let origin = try call.commandOrigin()
        let commands = ServerCommands(parts: parts)
        _ = try await call.write { try body(commands, call.parameter("server_id"), origin, $0) }
        return .empty(202)
    }

    /// Lines of the console log as the guest wrote them, or all that is kept.
    private func console(_ call: APICall, lines: Int?) async throws -> APIResponse {
        let permissions = try call.permissions()
        let access = ServerAccess(parts: parts)
        let server = try await call.database.read { reader in
            try access.findToChange(
                call.parameter("server_id"), rule: "os-console-output", by: permissions, ignoringLock: true, in: reader)
        }
        guard let host = server.host, server.state.vm != .building || server.state.task == .spawning else {
            throw APIError.conflict("Instance \(server.id) is not ready")
        }
        do {
            let result = try await parts.operations.ask(
                .consoleOutput(server.id, lines: lines), on: host.node, within: .seconds(10))
            guard case .done(let output) = result.outcome else {
                throw APIError.notFound("Guest does not have a console available.")
            }
            return .json(["output": .string(String(decoding: output, as: UTF8.self))])
        } catch is FleetError {
            throw APIError.conflict(
                "The host of instance \(server.id) does not answer: its console can be read when the host is back.")
        }
    }
}
