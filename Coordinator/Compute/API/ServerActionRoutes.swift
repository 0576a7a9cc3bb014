import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// `POST /servers/{id}/action` and what belongs to it.
struct ServerActionRoutes: Sendable {
    let parts: ComputeParts

    var all: [Route] {
        [
            Route(.post, "/v2.1/servers/{server_id}/action", action: "compute.server.action", handler: act)
                .askingCompute(
                    "servers:start", "servers:stop", "servers:reboot", "servers:delete", "os-pause-server:pause",
                    "os-pause-server:unpause", "os-suspend-server:suspend", "os-suspend-server:resume",
                    "os-lock-server:lock", "os-lock-server:unlock", "os-lock-server:unlock:unlock_override",
                    "os-admin-actions:reset_state", "os-console-output", "os-remote-consoles"),
            Route(
                .post, "/v2.1/servers/{server_id}/remote-consoles", action: "compute.server.console",
                handler: remoteConsole
            )
            .askingCompute("os-remote-consoles")
        ]
    }

    private typealias Handler = @Sendable (Self, APICall, JSON) async throws -> APIResponse

    private struct Action: Sendable {
        var schema: @Sendable (Microversion) -> BodySchema
        var run: Handler
    }

    /// An action whose argument says nothing.
    private static func plain(_ command: ServerLifecycle.Command) -> Action {
        Action(schema: { _ in .any }) { routes, call, _ in try await routes.run(command, call) }
    }

    private static let actions: [String: Action] = [
        "os-start": plain(.start), "os-stop": plain(.stop), "pause": plain(.pause), "unpause": plain(.unpause),
        "suspend": plain(.suspend), "resume": plain(.resume),
        "reboot": Action(
            schema: { _ in
                .object(["type": .words(["HARD", "Hard", "hard", "SOFT", "Soft", "soft"])], required: ["type"])
            }
        ) { routes, call, argument in
            let isHard = argument["type"]?.stringValue?.uppercased() == "HARD"
            return try await routes.run(isHard ? .hardReboot : .softReboot, call)
        },
        "forceDelete": Action(schema: { _ in .any }) { routes, call, _ in
            let commands = ServerCommands(parts: routes.parts)
            return try await routes.write(call) { try commands.delete($0, origin: $1, in: $2) }
        },
        "lock": Action(schema: lockSchema) { routes, call, argument in
            let commands = ServerCommands(parts: routes.parts)
            let reason = argument["locked_reason"]?.stringValue
            return try await routes.write(call) { try commands.lock($0, reason: reason, origin: $1, in: $2) }
        },
        "unlock": Action(schema: { _ in .any }) { routes, call, _ in
            let commands = ServerCommands(parts: routes.parts)
            return try await routes.write(call) { try commands.unlock($0, origin: $1, in: $2) }
        },
        "os-resetState": Action(
            schema: { _ in .object(["state": .words(["active", "error"])], required: ["state"]) }
        ) { routes, call, argument in
            let commands = ServerCommands(parts: routes.parts)
            let state: VMState = argument["state"]?.stringValue == "error" ? .error : .active
            return try await routes.write(call) { try commands.reset($0, to: state, origin: $1, in: $2) }
        },
        "os-getConsoleOutput": Action(schema: { _ in .object(["length": .nullable(.any)]) }) { routes, call, argument in
            try await routes.console(call, argument)
        },
        "os-getVNCConsole": noConsole, "os-getSPICEConsole": noConsole, "os-getRDPConsole": noConsole,
        "os-getSerialConsole": noConsole
    ]

    private static let lockSchema: @Sendable (Microversion) -> BodySchema = { version in
        version.has(73) ? .nullable(.object(["locked_reason": .string(min: 1, max: 255)])) : .any
    }

    private static let noConsole = Action(schema: { _ in .any }) { routes, call, argument in
        try await routes.refuseConsole(call, type: argument["type"]?.stringValue ?? "")
    }

    @Sendable private func act(_ call: APICall) async throws -> APIResponse {
        let body = try await call.json()
        guard let members = body.objectValue, let name = members.keys.sorted().first else {
            throw APIError.badRequest("Malformed request body")
        }
        guard let known = members.keys.sorted().first(where: { Self.actions[$0] != nil }),
            let action = Self.actions[known]
        else { throw APIError.badRequest("There is no such action: \(name)") }
        try BodySchema.object([known: action.schema(call.microversion)], required: [known]).check(body)
        return try await action.run(self, call, members[known] ?? .null)
    }

    private func run(_ command: ServerLifecycle.Command, _ call: APICall) async throws -> APIResponse {
        let commands = ServerCommands(parts: parts)
        return try await write(call) { try commands.run(command, on: $0, origin: $1, in: $2) }
    }

    private func write(
        _ call: APICall, _ body: @escaping @Sendable (String, Origin, any SQLTransaction) throws -> ServerRecord
    ) async throws -> APIResponse {
        let origin = try call.commandOrigin()
        _ = try await call.write { try body(call.parameter("server_id"), origin, $0) }
        return .empty(202)
    }

    /// Lines of the console log as the guest wrote them, or all that is kept.
    private func console(_ call: APICall, _ argument: JSON) async throws -> APIResponse {
        let lines = try readLength(argument["length"])
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

    private func readLength(_ value: JSON?) throws -> Int? {
        guard let value, !value.isNull else { return nil }
        guard let lines = Python.integer(value), lines >= -1 else {
            throw APIError.badRequest(
                "Invalid input for field/attribute length. Value: \(Python.text(value)). \(Python.repr(value)) is not "
                    + "an integer of -1 or more")
        }
        return lines == -1 ? nil : lines
    }

    @Sendable private func remoteConsole(_ call: APICall) async throws -> APIResponse {
        let body = try await call.json()
        let console: BodySchema = .object(["protocol": .string(), "type": .string()], required: ["protocol", "type"])
        try BodySchema.object(["remote_console": console], required: ["remote_console"]).check(body)
        return try await refuseConsole(call, type: body["remote_console"]?["type"]?.stringValue ?? "")
    }

    /// No graphical console is served.
    private func refuseConsole(_ call: APICall, type: String) async throws -> APIResponse {
        let permissions = try call.permissions()
        let access = ServerAccess(parts: parts)
        _ = try await call.database.read {
            try access.find(call.parameter("server_id"), asking: "os-remote-consoles", by: permissions, in: $0)
        }
        throw APIError.badRequest("Unavailable console type \(type).")
    }
}
