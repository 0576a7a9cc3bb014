import CoordinatorPlatform
import ProtocolModel

/// What `skerry` asks for: nodes, join tokens, explanations. Below `/skerry`, for administrators only.
public struct OperatorAPI: Sendable {
    /// Everything that is known of why a server, a volume or a port is where and as it is; `nil` for an unknown one.
    public typealias Explain = @Sendable (_ key: ResourceKey, _ reader: any SQLReader) throws -> JSON?

    private let nodes: NodeService
    private let authorityHash: [UInt8]
    private let explain: Explain

    init(nodes: NodeService, authorityHash: [UInt8], explain: @escaping Explain) {
        self.nodes = nodes
        self.authorityHash = authorityHash
        self.explain = explain
    }

    var service: ServiceAPI {
        ServiceAPI(
            prefix: "/skerry",
            routes: [
                Route(.get, "/v1/nodes", handler: list).gated(by: "skerry:nodes:list"),
                Route(.get, "/v1/nodes/{node}", handler: show).gated(by: "skerry:nodes:show"),
                Route(.delete, "/v1/nodes/{node}", action: "fleet.node.remove", handler: remove)
                    .gated(by: "skerry:nodes:remove"),
                Route(.post, "/v1/tokens", action: "fleet.token.create", handler: makeToken)
                    .gated(by: "skerry:tokens:create"),
                Route(.get, "/v1/explain/servers/{server}", handler: explainServer)
                    .gated(by: "skerry:servers:explain"),
                Route(.get, "/v1/explain/volumes/{volume}", handler: explainVolume)
                    .gated(by: "skerry:volumes:explain"),
                Route(.get, "/v1/explain/ports/{port}", handler: explainPort).gated(by: "skerry:ports:explain")
            ],
            policy: Self.policy,
            renderError: { error, requestID in
                (
                    [
                        "error": [
                            "code": JSON(error.status), "message": JSON(error.message), "request_id": JSON(requestID)
                        ]
                    ],
                    "application/json"
                )
            })
    }

    private static let policy = Policy(rules: [
        "skerry:nodes:list": .admin, "skerry:nodes:show": .admin, "skerry:nodes:remove": .admin,
        "skerry:tokens:create": .admin, "skerry:servers:explain": .admin, "skerry:volumes:explain": .admin,
        "skerry:ports:explain": .admin
    ])

    private func list(_ call: APICall) async throws -> APIResponse {
        let all = try await call.database.read { try nodes.nodes(in: $0) }
        return .json(["nodes": .array(all.map(Self.body))])
    }

    private func show(_ call: APICall) async throws -> APIResponse {
        return .json(["node": Self.body(try await find(call))])
    }

    private func remove(_ call: APICall) async throws -> APIResponse {
        let node = try await find(call)
        let removed = try await call.write { try nodes.remove(node.id, at: call.now, in: $0) }
        guard removed else { throw Self.unknown(call) }
        return .empty(204)
    }

    private func makeToken(_ call: APICall) async throws -> APIResponse {
        let body = try await call.json()
        let known: Set = ["uses", "lifetime_seconds"]
        BodyTrace.note(known)
        if let name = body.objectValue?.keys.sorted().first(where: { !known.contains($0) }) {
            throw APIError.badRequest("A join token has no '\(name)': say 'uses' and 'lifetime_seconds'.")
        }
        let uses = body["uses"]?.intValue ?? 1
        let seconds = body["lifetime_seconds"]?.intValue ?? 3_600
        guard (1...10_000).contains(uses), (1...604_800).contains(seconds) else {
            throw APIError.badRequest("'uses' is 1 to 10000 and 'lifetime_seconds' 1 to 604800.")
        }
        let token = try await call.write { transaction in
            try nodes.makeToken(
                authority: authorityHash, uses: Int(uses), lifetime: seconds * 1_000_000, now: call.now,
                in: transaction)
        }
        return .json(["token": JSON(token.text), "uses": JSON(uses)], status: 201)
    }

    private func explainServer(_ call: APICall) async throws -> APIResponse {
        guard let id = ServerID(call.parameter("server")),
            let story = try await call.database.read({ try explain(.server(id), $0) })
        else { throw APIError.notFound("No server '\(call.parameter("server"))' is known, not even a deleted one.") }
        return .json(["server": story])
    }

    private func explainVolume(_ call: APICall) async throws -> APIResponse {
        guard let id = VolumeID(call.parameter("volume")),
            let story = try await call.database.read({ try explain(.volume(id), $0) })
        else { throw APIError.notFound("No volume '\(call.parameter("volume"))' is known, not even a deleted one.") }
        return .json(["volume": story])
    }

    private func explainPort(_ call: APICall) async throws -> APIResponse {
        guard let id = PortID(call.parameter("port")),
            let story = try await call.database.read({ try explain(.port(id), $0) })
        else { throw APIError.notFound("No port '\(call.parameter("port"))' is known.") }
        return .json(["port": story])
    }

    /// By id or by hostname.
    private func find(_ call: APICall) async throws -> Node {
        let wanted = call.parameter("node")
        let all = try await call.database.read { try nodes.nodes(in: $0) }
        guard let node = all.first(where: { $0.id.text == wanted || $0.hostname == wanted }) else {
            throw Self.unknown(call)
        }
        return node
    }

    private static func unknown(_ call: APICall) -> APIError {
        .notFound("No node '\(call.parameter("node"))': 'skerry node list' shows the nodes there are.")
    }

    private static func body(_ node: Node) -> JSON {
        var body: [String: JSON] = [
            "id": JSON(node.id.text), "hostname": JSON(node.hostname), "health": JSON(node.health.rawValue),
            "enabled": JSON(node.isEnabled), "disabled_reason": JSON(node.disabledReason),
            "last_seen": JSON(node.lastSeen)
        ]
        if let report = node.report {
            body["roles"] = .array(report.roles.map(\.rawValue).sorted().map(JSON.string))
            body["agent_version"] = JSON(report.agentVersion)
            body["availability_zone"] = JSON(report.availabilityZone)
            body["vcpus"] = JSON(report.capacity.vcpus)
            body["memory_mib"] = JSON(report.capacity.memoryMiB)
            body["disk_gib"] = JSON(report.capacity.diskGiB)
            body["hypervisor"] = JSON(report.hypervisor.virtType)
            body["physical_networks"] = .array(report.physicalNetworks.map(JSON.string))
            body["problems"] = .array((node.lastHealth?.problems ?? report.problems).map(JSON.string))
            body["running_guests"] = JSON(node.lastHealth?.runningGuests)
        }
        return .object(body)
    }
}
