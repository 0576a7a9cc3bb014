import CoordinatorPlatform
import ProtocolModel

/// The actions that reach into a guest, or that nothing is left of.
extension ServerActionRoutes {
    static let reaching: [String: Action] = [
        "changePassword": { routes, call, argument in
            let password = try Nova.read(argument, password.format(), under: "changePassword")
            try await GuestCommands(parts: routes.parts).changePassword(
                call.parameter("server_id"), to: password, origin: try call.commandOrigin(), in: call.database)
            return .empty(202)
        },
        "trigger_crash_dump": { routes, call, argument in
            try call.requireVersion(call.microversion.has(17))
            guard argument.isNull else {
                throw Nova.body(BodyFailure(.wrongType(["null"]), argument, path: ["trigger_crash_dump"]))
            }
            try await GuestCommands(parts: routes.parts).crashDump(
                call.parameter("server_id"), origin: try call.commandOrigin(), in: call.database)
            return .empty(202)
        },
        "injectNetworkInfo": { routes, call, _ in
            try await routes.write(call) { try $0.injectNetworkInfo($1, origin: $2, in: $3) }
        },
        "resetNetwork": { _, _, _ in
            throw APIError(
                status: 410, message: "This resource is no longer available.  No forwarding address is given.")
        }
    ]

    private static let password = BodySchema(blank: "", [.required("adminPass", \.self, .text())])
}
