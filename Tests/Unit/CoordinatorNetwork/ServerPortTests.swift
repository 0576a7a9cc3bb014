import CoordinatorFleet
import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

/// The way of a server's ports: reserved, bound, reported, released.
struct ServerPortTests {
    @Test("a server on the project's only network gets a port, an address and the default group")
    func reserve() async throws {
        let cloud = try await TestCloud()
        let network = try await cloud.network()
        let ports = try await cloud.reserve(server(1))
        let port = try #require(ports.first)
        #expect(ports.count == 1)
        #expect(port.network == network)
        #expect(port.networkName == "private")
        #expect(port.mtuBytes == 1500)
        #expect(port.fixedIPs.map(\.address.description) == ["10.0.0.2"])
        #expect(port.status == "DOWN")
        let service = cloud.service
        let names = try await cloud.database.read { try service.securityGroupNames(of: [server(1)], in: $0) }
        #expect(names == [server(1): ["default"]])
    }

    @Test("binding puts port, network and group on the node's plan; releasing takes them off again")
    func bindAndRelease() async throws {
        let cloud = try await TestCloud()
        let network = try await cloud.network()
        let port = try #require(try await cloud.reserve(server(1)).first).port
        try await cloud.bind(server(1), to: TestCloud.node1)
        try await cloud.bind(server(1), to: TestCloud.node1)
        let keys = cloud.plan.keys(on: TestCloud.node1)
        #expect(keys.count == 3)
        #expect(keys.isSuperset(of: [.network(network), .port(port)]))
        guard case .port(let spec) = try await cloud.spec(.port(port), on: TestCloud.node1) else {
            Issue.record("no port spec")
            return
        }
        #expect(spec.server == server(1))
        #expect(spec.hostname == "web")
        #expect(spec.isSecurityEnabled && spec.isAdminUp)
        #expect(spec.securityGroups.count == 1)
        let group = try #require(spec.securityGroups.first)
        guard case .securityGroup(let groupSpec) = try await cloud.spec(.securityGroup(group), on: TestCloud.node1)
        else {
            Issue.record("no group spec")
            return
        }
        #expect(groupSpec.members.map(\.description) == ["10.0.0.2"])
        #expect(groupSpec.rules.count == 4)
        #expect(try await cloud.spec(.port(port), on: TestCloud.node2) == nil)
        try await cloud.release(server(1))
        #expect(cloud.plan.keys(on: TestCloud.node1).isEmpty)
        #expect(try await cloud.spec(.port(port), on: TestCloud.node1) == nil)
    }

    @Test("each DHCP subnet gets a service address when its network is first used on a node")
    func serviceAddress() async throws {
        let cloud = try await TestCloud()
        let network = try await cloud.network()
        _ = try await cloud.reserve(server(1))
        try await cloud.bind(server(1), to: TestCloud.node1)
        guard case .network(let spec) = try await cloud.spec(.network(network), on: TestCloud.node1) else {
            Issue.record("no network spec")
            return
        }
        let subnet = try #require(spec.subnets.first)
        #expect(subnet.isDHCPEnabled)
        #expect(subnet.serviceAddress?.description == "10.0.0.3")
        #expect(subnet.gateway?.description == "10.0.0.1")
        #expect(spec.attachment == .local)
        #expect(spec.dnsDomain == "openstacklocal")
    }

    @Test("network and group stay while another port needs them, and move with the server")
    func sharedUse() async throws {
        let cloud = try await TestCloud()
        let network = try await cloud.network()
        for number in 1...2 {
            _ = try await cloud.reserve(server(number))
            try await cloud.bind(server(number), to: TestCloud.node1)
        }
        try await cloud.release(server(1))
        #expect(cloud.plan.keys(on: TestCloud.node1).count == 3)
        try await cloud.bind(server(2), to: TestCloud.node2)
        #expect(cloud.plan.keys(on: TestCloud.node1).isEmpty)
        #expect(cloud.plan.keys(on: TestCloud.node2).contains(.network(network)))
        #expect(cloud.plan.keys(on: TestCloud.node2).count == 3)
    }

    @Test("a new member of a group is told to the nodes that hold the group")
    func membersSpread() async throws {
        let cloud = try await TestCloud()
        _ = try await cloud.network()
        _ = try await cloud.reserve(server(1))
        try await cloud.bind(server(1), to: TestCloud.node1)
        let group = try #require(cloud.plan.keys(on: TestCloud.node1).first { $0.kind == .securityGroup })
        let before = try #require(cloud.plan.generation(of: group, on: TestCloud.node1))
        _ = try await cloud.reserve(server(2))
        #expect(try #require(cloud.plan.generation(of: group, on: TestCloud.node1)) > before)
        guard case .securityGroup(let spec) = try await cloud.spec(group, on: TestCloud.node1) else { return }
        #expect(spec.members.count == 2)
    }

    @Test("the agent's word decides the port's status, and only for the node that has it")
    func statuses() async throws {
        let cloud = try await TestCloud()
        _ = try await cloud.network()
        let port = try #require(try await cloud.reserve(server(1)).first).port
        try await cloud.bind(server(1), to: TestCloud.node1)
        let service = cloud.service
        func status() async throws -> String? {
            try await cloud.database.read { try service.ports(of: [server(1)], in: $0)[server(1)]?.first?.status }
        }
        try await cloud.report(.port(port), .ready, from: TestCloud.node2)
        #expect(try await status() == "DOWN")
        try await cloud.report(.port(port), .ready, from: TestCloud.node1)
        #expect(try await status() == "ACTIVE")
        let error = StatusError(code: .hostFailure, message: "no bridge", detail: "brq1: EPERM")
        try await cloud.report(.port(port), .failed, from: TestCloud.node1, error: error)
        #expect(try await status() == "DOWN")
    }

    @Test("two networks are ambiguous, none at all means no port")
    func automatic() async throws {
        let cloud = try await TestCloud()
        #expect(try await cloud.reserve(server(1)).isEmpty)
        _ = try await cloud.network()
        _ = try await cloud.network()
        let error = await #expect(throws: Refusal.self) { try await cloud.reserve(server(2)) }
        #expect(error?.code == .ambiguous && error?.kind == "network")
    }

    @Test("a port that was there before its server outlives it")
    func adoptedPort() async throws {
        let cloud = try await TestCloud()
        let network = try await cloud.network()
        let service = cloud.service
        let port = try await cloud.database.write { transaction in
            try service.createPort(
                PortDraft(project: TestCloud.project, network: network),
                viewer: Viewer(isAdmin: false, project: TestCloud.project), at: 1, in: transaction)
        }
        let request = NetworkRequest.interfaces(
            [.init(network: nil, port: port.text, fixedIP: nil, tag: nil)], securityGroups: [])
        #expect(try await cloud.reserve(server(1), request).map(\.port) == [port])
        let error = await #expect(throws: Refusal.self) { try await cloud.reserve(server(2), request) }
        #expect(error?.code == .inUse && error?.kind == "port" && error?.name == port.text)
        try await cloud.bind(server(1), to: TestCloud.node1)
        try await cloud.release(server(1))
        #expect(cloud.plan.keys(on: TestCloud.node1).isEmpty)
        #expect(try await cloud.reserve(server(2), request).map(\.port) == [port])
    }

    @Test("a port deleted by itself tells its server's node")
    func deletedPort() async throws {
        let cloud = try await TestCloud()
        _ = try await cloud.network()
        let port = try #require(try await cloud.reserve(server(1)).first).port
        try await cloud.bind(server(1), to: TestCloud.node1)
        let service = cloud.service
        let touches = cloud.plan.touchCount
        try await cloud.database.write { try service.deletePort(port, at: 7, in: $0) }
        #expect(cloud.plan.keys(on: TestCloud.node1).isEmpty)
        #expect(cloud.plan.touchCount > touches)
        try await cloud.release(server(1))
    }

    @Test("five hundred servers at once in one group each get their own address")
    func manyAtOnce() async throws {
        let cloud = try await TestCloud()
        _ = try await cloud.network("10.0.0.0/16")
        let service = cloud.service
        try await cloud.database.write { try service.setQuota(-1, of: "port", project: TestCloud.project, in: $0) }
        let addresses = try await withThrowingTaskGroup(of: [IPAddress].self) { group in
            for number in 1...500 {
                group.addTask {
                    try await cloud.database.write { transaction in
                        let ports = try service.reservePorts(
                            .automatic, server: server(number), hostname: "s\(number)",
                            permissions: TestCloud.permissions(TestCloud.member),
                            project: TestCloud.project, at: 5, in: transaction)
                        try service.bindPorts(
                            of: server(number), to: FixedDirectory.id(number % 3 + 1), availabilityZone: "nova",
                            at: 6, in: transaction)
                        return ports.flatMap { $0.fixedIPs.map(\.address) }
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(addresses).count == 500)
    }
}
