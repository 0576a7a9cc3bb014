import CoordinatorPlatform
import ProtocolModel

/// The actions that reach into a guest, or that nothing is left of.
extension ServerActionRoutes {
    static let reaching: [String: Action] = [
        "changePassword": { routes, call, argument in
            let password = try Nova.read(argument, password.format(), under: "changePassword")
            return try await routes.reach(call) {
                try await $0.changePassword(call.parameter("server_id"), to: password, origin: $1, in: call.database)
            }
        },
        "trigger_crash_dump": { routes, call, argument in
            try call.requireVersion(call.microversion.has(17))
            guard argument.isNull else {
                throw Nova.body(BodyFailure(.wrongType(["null"]), argument, path: ["trigger_crash_dump"]))
            }
            return try await routes.reach(call) {
                try await $0.crashDump(call.parameter("server_id"), origin: $1, in: call.database)
            }
        },
        "injectNetworkInfo": { routes, call, _ in
            try await routes.write(call) { try $0.injectNetworkInfo($1, origin: $2, in: $3) }
        },
        "resetNetwork": { _, _, _ in
            throw APIError(
                status: 410, message: "This resource is no longer available.  No forwarding address is given.")
        }
    ]

    private func reach(
        _ call: APICall, _ body: (GuestCommands, Origin) async throws -> GuestCommands.Done
    ) async throws -> APIResponse {
        let origin = try call.commandOrigin()
        let guests = GuestCommands(parts: parts)
        let done = try await body(guests, origin)
        try await call.write { try guests.note(done, origin: origin, in: $0) }
        if let refusal = done.refusal { throw APIError.conflict(refusal) }
        return .empty(202)
    }

    private static let password = BodySchema(blank: "", [.required("adminPass", \.self, .text())])
}
