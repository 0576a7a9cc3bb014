import CoordinatorConsole
import CoordinatorPlatform
import ProtocolModel

/// `/servers/{id}/remote-consoles`, the actions that were before it, and what a console's token is good for.
struct ConsoleRoutes: Sendable {
    let parts: ComputeParts

    var all: [Route] {
        [
            Route(
                .post, "/v2.1/servers/{server_id}/remote-consoles", action: "compute.server.console", handler: create
            )
            .askingCompute("os-remote-consoles"),
            Route(.get, "/v2.1/os-console-auth-tokens/{token}", handler: show).askingCompute("os-console-auth-tokens")
        ]
    }

    private struct Body: Sendable {
        var `protocol` = ""
        var type = ""
    }

    private static let body = schema(
        protocols: ["vnc", "spice", "serial"], types: ["novnc", "xvpvnc", "spice-html5", "serial"])
    /// From 2.8 on.
    private static let bodyWithMKS = schema(
        protocols: ["vnc", "spice", "serial", "mks"], types: ["novnc", "xvpvnc", "spice-html5", "serial", "webmks"])

    private static func schema(protocols: [String], types: [String]) -> BodySchema<Body> {
        BodySchema(
            blank: Body(),
            [
                .required("protocol", \.protocol, .word(of: protocols)), .required("type", \.type, .word(of: types))
            ])
    }

    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(call.microversion.has(6))
        let schema = call.microversion.has(8) ? Self.bodyWithMKS : Self.body
        let wanted = try schema.read(try await call.json(), under: "remote_console", wording: Nova.body)
        let url = try await open(wanted.protocol, wanted.type, call)
        return .json([
            "remote_console": [
                "protocol": .string(wanted.protocol), "type": .string(wanted.type), "url": .string(url)
            ]
        ])
    }

    /// - Returns: Where the console is.
    func open(_ protocolName: String, _ type: String, _ call: APICall) async throws -> String {
        let permissions = try call.permissions()
        let parts = parts
        let now = call.now
        return try await call.write { transaction in
            let server = try ServerAccess(parts: parts).find(
                call.parameter("server_id"), asking: "os-remote-consoles", by: permissions, in: transaction)
            guard server.host != nil, server.state.vm != .building || server.state.task == .spawning else {
                throw APIError.conflict("Instance \(server.id) is not ready")
            }
            guard let consoles = parts.consoles, consoles.isServed, let kind = Self.kinds[protocolName] else {
                throw APIError.badRequest("Unavailable console type \(type).")
            }
            guard kind.rawValue == type else { throw APIError.badRequest("Invalid console type \(type)") }
            return try consoles.open(server.id, kind, at: now, in: transaction)
        }
    }

    private static let kinds: [String: ConsoleKindName] = ["vnc": .novnc, "serial": .serial]

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let permissions = try call.permissions()
        try permissions.require(ComputePolicy.prefix + "os-console-auth-tokens")
        // Before, it told of a kind of console that is no more.
        guard call.microversion.has(31) else { throw APIError.badRequest(ServerActionRoutes.malformed) }
        let token = call.parameter("token")
        let parts = parts
        let now = call.now
        let (server, host) = try await call.database.read { reader in
            guard let server = try parts.consoles?.server(of: token, at: now, in: reader),
                let host = try parts.servers.find(server, in: reader)?.host
            else { throw APIError.notFound("Token not found") }
            return (server, try parts.directory.node(host.node, in: reader)?.hostname ?? "")
        }
        // No port of the host leads to a console: it is carried by the agent's link.
        return .json([
            "console": [
                "instance_uuid": .string(server.text), "host": .string(host), "port": .null,
                "internal_access_path": .null
            ]
        ])
    }
}

/// The actions of 2.1 to 2.5.
extension ServerActionRoutes {
    static let looking: [String: Action] = [
        "os-getVNCConsole": old("os-getVNCConsole", "vnc", ["novnc", "xvpvnc"]),
        "os-getSPICEConsole": old("os-getSPICEConsole", "spice", ["spice-html5"]),
        "os-getSerialConsole": old("os-getSerialConsole", "serial", ["serial"]),
        "os-getRDPConsole": { _, call, _ in
            try call.requireVersion(!call.microversion.has(6))
            throw APIError.badRequest(malformed)
        }
    ]

    static let malformed =
        "The server could not comply with the request since it is either malformed or otherwise incorrect."

    private static func old(_ name: String, _ protocolName: String, _ types: [String]) -> Action {
        let format = BodySchema(blank: "", [.required("type", \.self, .word(of: types))]).format()
        return { routes, call, argument in
            try call.requireVersion(!call.microversion.has(6))
            let type = try Nova.read(argument, format, under: name)
            let url = try await ConsoleRoutes(parts: routes.parts).open(protocolName, type, call)
            return .json(["console": ["type": .string(type), "url": .string(url)]])
        }
    }
}
