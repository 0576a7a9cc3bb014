import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

/// `/v2.0/agents` and `/v2.0/availability_zones`: the nodes as this API knows them.
struct AgentRoutes: Sendable {
    let service: NetworkService

    var routes: [Route] {
        [
            Route(.get, "/v2.0/agents", handler: list).asking("get_agent"),
            Route(.get, "/v2.0/agents/{id}", handler: show).asking("get_agent"),
            Route(.get, "/v2.0/availability_zones", handler: zones)
                .gated(by: "get_availability_zone")
        ]
    }

    private static func view(_ node: Node) -> View.Members {
        let seen = Timestamp.secondsWithoutZone(node.lastSeen).replacing("T", with: " ")
        return [
            "id": JSON(node.id.text), "agent_type": "Linux bridge agent", "binary": "skerry-agent", "topic": "N/A",
            "host": JSON(node.hostname), "admin_state_up": JSON(node.isEnabled), "alive": JSON(node.health == .up),
            "availability_zone": JSON(node.report?.availabilityZone), "heartbeat_timestamp": JSON(seen),
            "created_at": .null, "started_at": .null, "description": JSON(node.disabledReason),
            "resources_synced": .null,
            "configurations": [
                "physical_networks": .array((node.report?.physicalNetworks ?? []).map { JSON($0) }),
                "version": JSON(node.report?.agentVersion)
            ]
        ]
    }

    /// Who may not see agents sees none of them, rather than being refused.
    @Sendable private func list(_ call: APICall) async throws -> APIResponse {
        let isAllowed = call.isAllowed("get_agent")
        let query = try Neutron.list.read(
            call.query, isFilter: { _ in true }, isFlag: ["admin_state_up", "alive"].contains, isSort: { _ in true })
        guard isAllowed else { return .json(["agents": []]) }
        let nodes = try await call.database.read { try service.directory.nodes(in: $0) }
        let views = nodes.map(Self.view).filter { view in query.filters.allSatisfy { $0.matches(view[$0.name]) } }
        let fields = Set(call.queryAll("fields"))
        return .json([
            "agents": .array(views.map { .object(fields.isEmpty ? $0 : $0.filter { fields.contains($0.key) }) })
        ])
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter("id")
        let isAllowed = call.isAllowed("get_agent")
        let node = try await call.database.read { reader in
            try (isAllowed ? NodeID(id) : nil).flatMap { try service.directory.node($0, in: reader) }
        }
        guard let node else { throw APIError.notFound("Agent \(id) could not be found.", type: "AgentNotFound") }
        return .json(["agent": .object(Self.view(node))])
    }

    @Sendable private func zones(_ call: APICall) async throws -> APIResponse {
        let nodes = try await call.database.read { try service.directory.nodes(in: $0) }
        let zones = Dictionary(grouping: nodes.filter { $0.report != nil }) { $0.report?.availabilityZone ?? "" }
        let views = zones.sorted { $0.key < $1.key }.map { name, nodes -> JSON in
            let isAvailable = nodes.contains { $0.health == .up && $0.isEnabled }
            return [
                "name": JSON(name), "resource": "network", "state": JSON(isAvailable ? "available" : "unavailable")
            ]
        }
        return .json(["availability_zones": .array(views)])
    }
}
