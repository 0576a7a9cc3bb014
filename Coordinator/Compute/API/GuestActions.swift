import CoordinatorPlatform
import ProtocolModel

/// The actions that reach into a guest, or that nothing is left of.
extension ServerActionRoutes {
    static let reaching: [String: Action] = [
        "changePassword": { routes, call, argument in
            _ = try Nova.read(argument, password.format(), under: "changePassword")
            return try await routes.write(call) { try $0.changePassword($1, origin: $2, in: $3) }
        },
        "trigger_crash_dump": { routes, call, argument in
            try call.requireVersion(call.microversion.has(17))
            guard argument.isNull else {
                throw Nova.body(BodyFailure(.wrongType(["null"]), argument, path: ["trigger_crash_dump"]))
            }
            return try await routes.write(call) { try $0.crashDump($1, origin: $2, in: $3) }
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
