import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel

/// A member's network with a subnet, an external network with one, and a router of the member's.
struct NetworkRouterScene: Sendable {
    let cloud: NetworkCloud
    let network: String
    let subnet: String
    let external: String
    let externalSubnet: String
    let router: String

    init(hasGateway: Bool = false, hasInterface: Bool = false) async throws {
        cloud = try await NetworkCloud()
        network = try await cloud.makeNetwork()
        subnet = try await cloud.makeSubnet(network)["id"]?.stringValue ?? ""
        external = try await cloud.makeNetwork(
            [
                "name": "public", "router:external": true, "provider:network_type": "flat",
                "provider:physical_network": "physnet1"
            ], as: .admin)
        externalSubnet =
            try await cloud.make(
                "subnet",
                [
                    "network_id": JSON(external), "cidr": "203.0.113.0/24", "ip_version": 4, "enable_dhcp": false,
                    "allocation_pools": [["start": "203.0.113.10", "end": "203.0.113.99"]]
                ], as: .admin)["id"]?.stringValue ?? ""
        let gateway: JSON = hasGateway ? ["network_id": JSON(external)] : .null
        router =
            try await cloud.make("router", ["name": "r", "external_gateway_info": gateway])["id"]?.stringValue ?? ""
        guard hasInterface else { return }
        let answer = await add(["subnet_id": JSON(subnet)])
        guard answer.status == 200 else { throw NetworkRefusal(answer: answer) }
    }

    func add(_ body: JSON, as caller: TestCaller = .member) async -> Answer {
        await cloud.harness.put("/network/v2.0/routers/\(router)/add_router_interface", body, as: caller)
    }

    func remove(_ body: JSON, as caller: TestCaller = .member) async -> Answer {
        await cloud.harness.put("/network/v2.0/routers/\(router)/remove_router_interface", body, as: caller)
    }

    func update(_ body: JSON, as caller: TestCaller = .member) async -> Answer {
        await cloud.harness.put("/network/v2.0/routers/\(router)", ["router": body], as: caller)
    }

    func show(_ kind: String, _ id: String, as caller: TestCaller = .member) async -> JSON {
        await cloud.harness.get("/network/v2.0/\(kind)s/\(id)", as: caller).json[kind] ?? .null
    }

    func port(_ more: [String: JSON] = [:], as caller: TestCaller = .member) async throws -> JSON {
        var body: [String: JSON] = ["network_id": JSON(network)]
        body.merge(more) { $1 }
        return try await cloud.make("port", .object(body), as: caller)
    }

    /// What the node said of the router.
    func report(_ phase: ResourceStatus.Phase, of router: String? = nil) async throws {
        let slice = cloud.slice
        guard let id = RouterID(router ?? self.router) else { return }
        try await cloud.harness.database.write { transaction in
            let status = ResourceStatus(key: .router(id), generation: 1, phase: phase)
            try slice.consumers.first { $0.kind == .router }?.consume(
                status, from: NetworkOneNode.node, at: 9, in: transaction)
        }
    }

    /// What the node is told of the router.
    func spec() async throws -> RouterSpec? {
        let slice = cloud.slice
        guard let id = RouterID(router) else { return nil }
        let found = try await cloud.harness.database.read { reader in
            try slice.providers.first { $0.kind == .router }?.specs(
                of: [id.cast()], on: NetworkOneNode.node, in: reader)[id.cast()]
        }
        guard case .router(let spec)? = found else { return nil }
        return spec
    }
}
