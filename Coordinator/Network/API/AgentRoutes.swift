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
        return .json(["agents": .array(views.map { Neutron.selected($0, call) })])
    }

    @Sendable private func show(_ call: APICall) async throws -> APIResponse {
        let id = call.parameter("id")
        let isAllowed = call.isAllowed("get_agent")
        let node = try await call.database.read { reader in
            try (isAllowed ? NodeID(id) : nil).flatMap { try service.directory.node($0, in: reader) }
        }
        guard let node else { throw APIError.notFound("Agent \(id) could not be found.", type: "AgentNotFound") }
        return .json(["agent": Neutron.selected(Self.view(node), call)])
    }

    @Sendable private func zones(_ call: APICall) async throws -> APIResponse {
        let nodes = try await call.database.read { try service.directory.nodes(in: $0) }
        let views =
            Self.zones(of: nodes, for: "network")
            + Self.zones(of: nodes.filter { $0.report?.roles.contains(.network) ?? false }, for: "router")
        return .json(["availability_zones": .array(views)])
    }

    private static func zones(of nodes: [Node], for resource: String) -> [JSON] {
        let zones = Dictionary(grouping: nodes.filter { $0.report != nil }) { $0.report?.availabilityZone ?? "" }
        return zones.sorted { $0.key < $1.key }.map { name, nodes in
            let isAvailable = nodes.contains { $0.health == .up && $0.isEnabled }
            return [
                "name": JSON(name), "resource": JSON(resource),
                "state": JSON(isAvailable ? "available" : "unavailable")
            ]
        }
    }
}
