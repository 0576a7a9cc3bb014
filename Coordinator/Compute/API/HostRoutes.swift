import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// `/os-hosts`, to 2.42, and `/os-baremetal-nodes`, to 2.35.
struct HostRoutes: Sendable {
    let parts: ComputeParts

    var all: [Route] {
        [
            Route(.get, "/v2.1/os-hosts", handler: list).gatedCompute(by: "os-hosts:list"),
            Route(.get, "/v2.1/os-hosts/{name}", handler: show).gatedCompute(by: "os-hosts:show"),
            Route(.put, "/v2.1/os-hosts/{name}", action: "compute.host.update", handler: update)
                .gatedCompute(by: "os-hosts:update"),
            Route(.get, "/v2.1/os-hosts/{name}/startup", handler: power).gatedCompute(by: "os-hosts:start"),
            Route(.get, "/v2.1/os-hosts/{name}/shutdown", handler: power).gatedCompute(by: "os-hosts:shutdown"),
            Route(.get, "/v2.1/os-hosts/{name}/reboot", handler: power).gatedCompute(by: "os-hosts:reboot"),
            Route(.get, "/v2.1/os-baremetal-nodes", handler: bareMetal).gatedCompute(by: "os-baremetal-nodes:list"),
            Route(.get, "/v2.1/os-baremetal-nodes/{id}", handler: bareMetal)
                .gatedCompute(by: "os-baremetal-nodes:show")
        ]
    }

    private static func requireOld(_ call: APICall) throws { try call.requireVersion(!call.microversion.has(43)) }

    private func nodes(_ call: APICall) async throws -> (nodes: [Node], book: ZoneBook) {
        let parts = parts
        return try await call.database.read { reader in
            (try parts.directory.nodes(in: reader).filter(\.runsServers), try ZoneBook(parts, in: reader))
        }
    }

    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        try Self.requireOld(call)
        let (nodes, book) = try await nodes(call)
        // Clients that ask for no zone in particular send an empty one.
        let zone = call.query("zone").flatMap { $0.isEmpty ? nil : $0 }
        let shown = nodes.filter { zone == nil || book.zone(of: $0) == zone }
        return .json([
            "hosts": .array(
                shown.map {
                    ["host_name": .string($0.hostname), "service": "compute", "zone": .string(book.zone(of: $0))]
                })
        ])
    }

    private func find(_ call: APICall) async throws -> Node {
        try Self.requireOld(call)
        let name = call.parameter("name")
        guard let node = try await nodes(call).nodes.first(where: { $0.hostname == name }) else {
            throw APIError.notFound("Compute host \(name) could not be found.")
        }
        return node
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let node = try await find(call)
        let parts = parts
        let servers = try await call.database.read { try parts.servers.on(node.id, in: $0) }.filter { !$0.isDeleted }
        func line(_ project: String, _ cpu: Int, _ memory: Int, _ disk: Int) -> JSON {
            [
                "resource": [
                    "host": .string(node.hostname), "project": .string(project), "cpu": JSON(cpu),
                    "memory_mb": JSON(memory), "disk_gb": JSON(disk)
                ]
            ]
        }
        func sum(_ project: String, _ servers: [ServerRecord], plusMemory reserved: Int = 0) -> JSON {
            line(
                project, servers.reduce(0) { $0 + $1.flavor.vcpus },
                servers.reduce(reserved) { $0 + $1.flavor.memoryMiB },
                servers.reduce(0) { $0 + $1.flavor.rootGiB + $1.flavor.ephemeralGiB })
        }
        let capacity = node.report?.capacity
        let projects = Dictionary(grouping: servers, by: \.project).sorted { $0.key < $1.key }
        return .json([
            "host": .array(
                [
                    line("(total)", capacity?.vcpus ?? 0, capacity?.memoryMiB ?? 0, capacity?.diskGiB ?? 0),
                    sum("(used_now)", servers, plusMemory: capacity?.reservedMemoryMiB ?? 0), sum("(used_max)", servers)
                ] + projects.map { sum($0.key.compact, $0.value) })
        ])
    }

    private struct Draft: Sendable {
        var status: String?
        var maintenance: String?

        static let schema = BodySchema(
            blank: Draft(),
            [
                .optional("status", \.status, .word(of: ["enable", "disable", "Enable", "Disable"])),
                .optional(
                    "maintenance_mode", \.maintenance, .word(of: ["enable", "disable", "Enable", "Disable"]))
            ])
    }

    @Sendable private func update(_ call: APICall) async throws -> APIResponse {
        let draft = try Draft.schema.read(try await call.json(), wording: Nova.body)
        let node = try await find(call)
        guard draft.maintenance == nil else {
            throw APIError(status: 501, message: "Virt driver does not implement host maintenance mode.")
        }
        guard let status = draft.status?.lowercased() else {
            throw APIError.badRequest(
                "Invalid input for field/attribute body. Value: {}. {} does not have enough properties")
        }
        let directory = parts.directory
        try await call.write(target: { _ in node.hostname }) {
            try directory.setEnabled(status == "enable", reason: nil, node: node.id, at: call.now, in: $0)
        }
        return .json(["host": .string(node.hostname), "status": .string(status + "d")])
    }

    @Sendable private func power(_ call: APICall) async throws -> APIResponse {
        _ = try await find(call)
        throw APIError(status: 501, message: "Virt driver does not implement host power management.")
    }

    @Sendable private func bareMetal(_ call: APICall) async throws -> APIResponse {
        try call.requireVersion(!call.microversion.has(ProxyVersion.last + 1))
        throw APIError(status: 501, message: "Ironic client unavailable, cannot access Ironic.")
    }
}
