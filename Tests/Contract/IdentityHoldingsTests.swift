import CoordinatorCompute
import CoordinatorIdentity
import CoordinatorNetwork
import CoordinatorPlatform
import HTTPTypes
import ProtocolModel
import Testing

@Suite("what the slices hold of a project")
struct IdentityHoldingsTests {
    /// Asks a slice's holdings over HTTP, since only a request has the rules to ask.
    private struct Probe: Sendable {
        let harness: APIHarness

        init(_ holdings: any ProjectHoldings, beside service: ServiceAPI, on database: any StoreEngine) {
            harness = APIHarness(services: [service, Self.service(holdings)], database: database)
        }

        private static func service(_ holdings: any ProjectHoldings) -> ServiceAPI {
            let project = TestCaller.project
            let routes = [
                Route(.get, "/left") { call in
                    let left = try await call.database.read { try holdings.remaining(of: project, in: $0) }
                    let counts = left.filter { $0.count > 0 }.map { ($0.kind, JSON($0.count)) }
                    return .json(.object(Dictionary(counts, uniquingKeysWith: { $1 })))
                },
                Route(.delete, "/all", action: "probe.remove") { call in
                    let origin = RemovalOrigin(
                        permissions: try call.permissions(), requestID: call.requestID, now: call.now)
                    try await call.write { try holdings.remove(everythingOf: project, by: origin, in: $0) }
                    return .empty(204)
                },
                Route(.delete, "/house", action: "probe.tidy") { call in
                    try await call.write { try holdings.tidy(after: project, in: $0) }
                    return .empty(204)
                },
                Route(.delete, "/user", action: "probe.tidy") { call in
                    let user = TestCaller.member.caller.user
                    try await call.write { try holdings.tidy(after: user, in: $0) }
                    return .empty(204)
                }
            ]
            return ServiceAPI(prefix: "/probe", routes: routes) { (["error": .string($0.message)], $1) }
        }

        func left() async -> JSON { await harness.get("/probe/left").json }
        func run(_ what: String) async -> Int { await harness.delete("/probe/\(what)", as: .admin).status }
    }

    @Test("networks, ports and groups count; the default group and the quotas go along")
    func network() async throws {
        let cloud = try await NetworkCloud()
        let probe = Probe(cloud.slice.holdings[0], beside: cloud.slice.apis[0], on: cloud.harness.database)
        #expect(await probe.left() == [:])
        let network = try await cloud.makeNetwork()
        _ = try await cloud.makeSubnet(network)
        _ = try await cloud.make("port", ["network_id": .string(network)])
        _ = try await cloud.make("security_group", ["name": "web"])
        let foreign = try await cloud.makeNetwork(as: .stranger)
        #expect(await probe.left() == ["network": 1, "port": 1, "security group": 1])
        #expect(await probe.run("all") == 204)
        #expect(await probe.left() == [:])
        #expect(await cloud.harness.get("/network/v2.0/networks/\(foreign)", as: .stranger).status == 200)
        func groups() async throws -> Int {
            try await cloud.harness.database.read {
                try $0.count(
                    "SELECT COUNT(*) FROM network_security_groups WHERE project_id = ?", [TestCaller.project.compact])
            }
        }
        #expect(try await groups() == 1)
        #expect(await probe.run("house") == 204)
        #expect(try await groups() == 0)
    }

    @Test("routers and floating IPs count, and go with all that hangs on them")
    func routers() async throws {
        let scene = try await NetworkRouterScene(hasGateway: true, hasInterface: true)
        let cloud = scene.cloud
        let probe = Probe(cloud.slice.holdings[0], beside: cloud.slice.apis[0], on: cloud.harness.database)
        let port = try await scene.port()["id"] ?? .null
        _ = try await cloud.make("floatingip", ["floating_network_id": .string(scene.external), "port_id": port])
        // The interface's port counts as one, as it does in quotas.
        #expect(await probe.left() == ["network": 2, "port": 2, "router": 1, "floating IP": 1])
        #expect(await probe.run("all") == 204)
        #expect(await probe.left() == [:])
    }

    @Test("servers count until they are asked to go; keypairs go with their user")
    func compute() async throws {
        let cloud = try await ComputeCloud()
        let probe = Probe(cloud.slice.holdings[0], beside: cloud.slice.api, on: cloud.harness.database)
        let server = try await cloud.running()
        #expect(await probe.left() == ["server": 1])
        #expect(await probe.run("all") == 204)
        #expect(await probe.left() == [:])
        let shown = await cloud.harness.get("/compute/v2.1/servers/\(server)", as: .admin).json["server"]
        #expect(shown?["OS-EXT-STS:task_state"] == "deleting", "it is still there until its host has let it go")
        func count(_ table: String) async throws -> Int {
            try await cloud.harness.database.read { try $0.count("SELECT COUNT(*) FROM \(table)") }
        }
        #expect(
            await cloud.harness.post("/compute/v2.1/os-keypairs", ["keypair": ["name": "k"]], as: .member).status == 200
        )
        _ = await cloud.harness.put(
            "/compute/v2.1/os-quota-sets/\(TestCaller.project.compact)", ["quota_set": ["cores": 7]], as: .admin)
        #expect(try await count("keypairs") == 1)
        #expect(try await count("quota_limits") == 1)
        #expect(await probe.run("house") == 204)
        #expect(try await count("quota_limits") == 0)
        #expect(try await count("keypairs") == 1)
        #expect(await probe.run("user") == 204)
        #expect(try await count("keypairs") == 0)
    }
}
