import CoordinatorPlatform
import ProtocolModel

/// What else there is to ask of one server: its password, its topology.
struct ServerDetailRoutes: Sendable {
    let parts: ComputeParts

    var all: [Route] {
        let server = "/v2.1/servers/{server_id}"
        return [
            Route(.get, server + "/os-server-password", handler: password).askingCompute("os-server-password:show"),
            Route(
                .delete, server + "/os-server-password", action: "compute.server.password.clear",
                handler: clearPassword
            )
            .askingCompute("os-server-password:clear"),
            Route(.get, server + "/topology", handler: topology).asking(
                ComputePolicy.topology, ComputePolicy.hostTopology)
        ]
    }

    private func find(_ call: APICall, _ rule: String) async throws -> ServerRecord {
        let permissions = try call.permissions()
        let parts = parts
        return try await call.database.read {
            try ServerAccess(parts: parts).find(
                call.parameter("server_id"), asking: rule, by: permissions, in: $0)
        }
    }

    /// Guests leave their passwords with the metadata service, which takes none here.
    @Sendable private func password(_ call: APICall) async throws -> APIResponse {
        _ = try await find(call, "os-server-password:show")
        return .json(["password": ""])
    }

    @Sendable private func clearPassword(_ call: APICall) async throws -> APIResponse {
        let permissions = try call.permissions()
        let parts = parts
        try await call.write { transaction in
            _ = try ServerAccess(parts: parts).find(
                call.parameter("server_id"), asking: "os-server-password:clear", by: permissions, in: transaction)
        }
        return .empty(204)
    }

    /// From 2.78 on. No guest has nodes of its own.
    @Sendable private func topology(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(call.microversion.has(78))
        let permissions = try call.permissions()
        let parts = parts
        let server = try await call.database.read {
            try ServerAccess(parts: parts).find(call.parameter("server_id"), caller: permissions.caller, in: $0)
        }
        try permissions.require(ComputePolicy.topology, ComputePolicy.target(server))
        return .json(["nodes": [], "pagesize_kb": .null])
    }
}

/// `/os-server-external-events`: what other services tell of servers, `/os-assisted-volume-snapshots`.
struct ExternalEventRoutes: Sendable {
    let parts: ComputeParts

    var all: [Route] {
        [
            Route(.post, "/v2.1/os-server-external-events", action: "compute.server.event", handler: create)
                .gatedCompute(by: "os-server-external-events:create"),
            Route(.post, "/v2.1/os-assisted-volume-snapshots", action: "compute.snapshot.create", handler: refuse)
                .gatedCompute(by: "os-assisted-volume-snapshots:create"),
            Route(
                .delete, "/v2.1/os-assisted-volume-snapshots/{id}", action: "compute.snapshot.delete", handler: refuse
            )
            .gatedCompute(by: "os-assisted-volume-snapshots:delete")
        ]
    }

    private struct Event: Sendable {
        var name = ""
        var server = ""
        var status: String?
        var tag: String?

        private static func names(_ version: Microversion) -> [String] {
            [
                "network-changed", "network-vif-plugged", "network-vif-unplugged", "network-vif-deleted"
            ] + (version.has(51) ? ["volume-extended"] : []) + (version.has(76) ? ["power-update"] : [])
                + (version.has(82) ? ["accelerator-request-bound"] : [])
                + (version.has(93) ? ["volume-reimaged"] : [])
        }

        static func schema(_ version: Microversion) -> BodySchema<[Event]> {
            let event = BodySchema(
                blank: Event(),
                [
                    .required("name", \.name, .word(of: names(version))),
                    .required("server_uuid", \.server, .text(0...Int.max, .uuid)),
                    .optional("status", \.status, .word(of: ["failed", "completed", "in-progress"])),
                    .optional("tag", \.tag, .text(0...255))
                ])
            return BodySchema(
                blank: [], [.required("events", \.self, .list(of: event.format(version), most: 256))])
        }
    }

    /// A server that something was told of is told to its host again: the host compares, and does what there is to do.
    @Sendable private func create(_ call: APICall) async throws -> APIResponse {
        let events = try Event.schema(call.microversion).read(
            try await call.json(), call.microversion, wording: Nova.body)
        guard !events.isEmpty else {
            throw APIError.badRequest("Invalid input for field/attribute events. [] is too short")
        }
        let parts = parts
        let codes = try await call.write { transaction in
            try events.map { event -> Int in
                guard let id = ServerID(event.server), let server = try parts.servers.find(id, in: transaction),
                    !server.isDeleted
                else { return 404 }
                guard server.host != nil else { return 422 }
                if server.state.task != .deleting { try parts.plans.touch(server.key, in: transaction) }
                return 200
            }
        }
        guard codes.contains(200) else {
            throw APIError.notFound("No instances found for any event")
        }
        let rendered = zip(events, codes).map { event, code -> JSON in
            var out: [String: JSON] = [
                "name": .string(event.name), "server_uuid": .string(event.server),
                "status": code == 200 ? .string(event.status ?? "completed") : "failed", "code": JSON(code)
            ]
            out["tag"] = event.tag.map(JSON.string)
            return .object(out)
        }
        return .json(["events": .array(rendered)], status: codes.allSatisfy { $0 == 200 } ? 200 : 207)
    }

    @Sendable private func refuse(_ call: APICall) async throws -> APIResponse {
        throw APIError.badRequest(
            "Volumes are never snapshotted through their servers here: make the snapshot with the volume service.")
    }
}
