import CoordinatorFleet
import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("routers on nodes")
struct RouterPlanTests {
    private static let node1 = FixedDirectory.id(1)
    private static let node2 = FixedDirectory.id(2)

    @Test("a router with nothing to route is on no node; with an interface, its node has it and the network")
    func placed() async throws {
        let cloud = try await RoutedCloud()
        let empty = try await cloud.router(hasInterface: false)
        #expect(try await cloud.place(empty) == nil)
        let router = try await cloud.router(hasGateway: true)
        #expect(try await cloud.place(router) == Self.node1)
        #expect(
            cloud.plan.keys(on: Self.node1) == [
                .router(router), .network(cloud.network), .network(cloud.external)
            ])
        guard case .router(let spec)? = try await cloud.spec(.router(router), on: Self.node1) else {
            Issue.record("no spec")
            return
        }
        #expect(spec.interfaces.map(\.network) == [cloud.network])
        #expect(spec.interfaces.first?.addresses.map(\.address.description) == ["10.0.0.1"])
        #expect(spec.interfaces.first?.addresses.first?.prefixLength == 24)
        #expect(spec.interfaces.first?.mtuBytes == 1450)
        #expect(spec.gateway?.interface.addresses.map(\.address.description) == ["203.0.113.2"])
        #expect(spec.gateway?.nextHops.map(\.description) == ["203.0.113.1"])
        #expect(spec.gateway?.isSNATEnabled == true && spec.gateway?.interface.mtuBytes == 1500)
        #expect(try await cloud.spec(.router(router), on: Self.node2) == nil)
        let second = try await cloud.router(hasGateway: true, hasInterface: false)
        #expect(try await cloud.place(second) == Self.node2)
    }

    @Test("the last interface takes router and network off the node, as long as nobody else needs the network there")
    func emptied() async throws {
        let cloud = try await RoutedCloud(nodes: 1)
        let router = try await cloud.router()
        let subnet = cloud.subnet
        try await cloud.write { service, transaction in
            _ = try service.removeInterface(
                InterfaceRequest(subnet: subnet), from: router, viewer: RoutedCloud.admin, at: 3, in: transaction)
        }
        #expect(cloud.plan.keys(on: Self.node1) == [])
        #expect(try await cloud.place(router) == nil)
        let again = try await cloud.router()
        let server = server(1)
        try await cloud.write { service, transaction in
            _ = try service.reservePorts(
                .automatic, server: server, hostname: "g", permissions: TestCloud.permissions(TestCloud.member),
                project: TestCloud.project, at: 4,
                in: transaction)
            try service.bindPorts(of: server, to: Self.node1, availabilityZone: "nova", at: 4, in: transaction)
            _ = try service.removeInterface(
                InterfaceRequest(subnet: subnet), from: again, viewer: RoutedCloud.admin, at: 5, in: transaction)
        }
        let network = ResourceKey.network(cloud.network)
        #expect(cloud.plan.keys(on: Self.node1).contains(network))
        try await cloud.write { try $0.releasePorts(of: server, at: 6, in: $1) }
        #expect(!cloud.plan.keys(on: Self.node1).contains(network))
    }

    @Test("guests that leave a node leave its router the network")
    func guestLeaves() async throws {
        let cloud = try await RoutedCloud(nodes: 1)
        _ = try await cloud.router()
        let server = server(1)
        try await cloud.write { service, transaction in
            _ = try service.reservePorts(
                .automatic, server: server, hostname: "g", permissions: TestCloud.permissions(TestCloud.member),
                project: TestCloud.project, at: 4,
                in: transaction)
            try service.bindPorts(of: server, to: Self.node1, availabilityZone: "nova", at: 4, in: transaction)
            try service.releasePorts(of: server, at: 5, in: transaction)
        }
        #expect(cloud.plan.keys(on: Self.node1).contains(.network(cloud.network)))
    }

    @Test("a node that is down loses its routers to another, whole, and does not get them back")
    func failover() async throws {
        let cloud = try await RoutedCloud()
        let router = try await cloud.router(hasGateway: true)
        cloud.directory.change { $0[0].health = .suspect }
        try await cloud.slice.upkeep(on: cloud.database, at: 5)
        #expect(try await cloud.place(router) == Self.node1)
        cloud.directory.change { $0[0].health = .down }
        try await cloud.slice.upkeep(on: cloud.database, at: 6)
        #expect(try await cloud.place(router) == Self.node2)
        #expect(cloud.plan.keys(on: Self.node1) == [])
        #expect(
            cloud.plan.keys(on: Self.node2) == [.router(router), .network(cloud.network), .network(cloud.external)])
        #expect(try await cloud.state(router).ports.map(\.host) == ["host-2", "host-2"])
        cloud.directory.change { $0[0].health = .up }
        try await cloud.slice.upkeep(on: cloud.database, at: 7)
        #expect(try await cloud.place(router) == Self.node2)
    }

    @Test("a router waits for a node, and is there as soon as one can have it")
    func waits() async throws {
        let cloud = try await RoutedCloud(nodes: 0)
        let router = try await cloud.router(hasGateway: true)
        #expect(try await cloud.place(router) == nil)
        let poor = ChangingDirectory.node(1, physicalNetworks: [])
        cloud.directory.change { $0 = [poor] }
        try await cloud.slice.upkeep(on: cloud.database, at: 8)
        #expect(try await cloud.place(router) == nil)
        let rich = ChangingDirectory.node(2)
        cloud.directory.change { $0.append(rich) }
        try await cloud.slice.upkeep(on: cloud.database, at: 9)
        #expect(try await cloud.place(router) == Self.node2)
        let generation = cloud.plan.generation(of: .router(router), on: Self.node2)
        try await cloud.slice.upkeep(on: cloud.database, at: 10)
        #expect(cloud.plan.generation(of: .router(router), on: Self.node2) == generation)
    }

    @Test("routers that no node can have keep none of those behind them waiting")
    func round() async throws {
        let cloud = try await RoutedCloud(nodes: 0)
        let hopeless = try await cloud.write { service, transaction in
            var network = NetworkDraft(project: TestCloud.project)
            (network.isExternal, network.networkType, network.physicalNetwork) = (true, "flat", "physnet2")
            let external = try service.createNetwork(network, viewer: .everything, at: 1, in: transaction)
            let prefix = IPPrefix("198.51.100.0/24")
            _ = try service.createSubnet(
                SubnetDraft(project: TestCloud.project, network: external, prefix: prefix), viewer: .everything, at: 1,
                in: transaction)
            return try (0..<4).map { _ in
                var draft = RouterDraft(project: TestCloud.project)
                draft.change.gateway = .network(GatewayRequest(network: external))
                return try service.createRouter(draft, viewer: RoutedCloud.admin, at: 2, in: transaction)
            }
        }
        let last = try await cloud.router(hasGateway: true, hasInterface: false)
        cloud.directory.change { $0 = [ChangingDirectory.node(1)] }
        let rounds = try await cloud.read { service, reader in
            var round = RouterRound()
            return try (0..<4).map { _ in try service.movableRouters(&round, seeing: 2, in: reader) }
        }
        #expect(rounds == [[], [], [last], []])
        #expect(!rounds.joined().contains(where: hopeless.contains))
    }

    @Test("a router's node hears of its subnets what concerns it, and nothing of others")
    func subnetChanges() async throws {
        let cloud = try await RoutedCloud()
        let router = try await cloud.router()
        let (network, subnet) = (cloud.network, cloud.subnet)
        let other = try await cloud.write { service, transaction in
            let prefix = IPPrefix("10.77.0.0/24")
            return try service.createSubnet(
                SubnetDraft(project: TestCloud.project, network: network, prefix: prefix), viewer: .everything, at: 3,
                in: transaction)
        }
        func generation(after change: @escaping @Sendable (inout SubnetChange) -> Void, of id: SubnetID) async throws
            -> Int64?
        {
            try await cloud.write { service, transaction in
                var wanted = SubnetChange()
                change(&wanted)
                try service.updateSubnet(id, wanted, at: 4, in: transaction)
            }
            return cloud.plan.generation(of: .router(router), on: Self.node1)
        }
        let before = cloud.plan.generation(of: .router(router), on: Self.node1)
        #expect(try await generation(after: { $0.name = "n" }, of: subnet) == before)
        #expect(try await generation(after: { $0.hostRoutes = [] }, of: subnet) == before)
        let servers = [IPAddress("192.0.2.53")].compactMap(\.self)
        #expect(try await generation(after: { $0.dnsServers = servers }, of: other) == before)
        #expect(try await generation(after: { $0.dnsServers = servers }, of: subnet) == before.map { $0 + 1 })
        #expect(try await cloud.place(router) == Self.node1)
    }

    @Test("a gateway that no node can have waits where the router is, and moves it once one can")
    func gatewayWaits() async throws {
        let cloud = try await RoutedCloud(nodes: 1)
        let poor = ChangingDirectory.node(1, physicalNetworks: [])
        cloud.directory.change { $0 = [poor] }
        let router = try await cloud.router()
        let external = cloud.external
        try await cloud.write { service, transaction in
            var change = RouterChange()
            change.gateway = .network(GatewayRequest(network: external))
            try service.updateRouter(router, change, viewer: RoutedCloud.admin, at: 3, in: transaction)
        }
        #expect(try await cloud.place(router) == Self.node1)
        let rich = ChangingDirectory.node(2)
        cloud.directory.change { $0.append(rich) }
        try await cloud.slice.upkeep(on: cloud.database, at: 4)
        #expect(try await cloud.place(router) == Self.node2)
    }

    @Test("a network that is on one node alone brings its router there")
    func localNetwork() async throws {
        let cloud = try await RoutedCloud()
        let server = server(1)
        let router = try await cloud.write { service, transaction in
            var draft = NetworkDraft(project: TestCloud.project)
            draft.networkType = "local"
            let network = try service.createNetwork(draft, viewer: .everything, at: 1, in: transaction)
            let subnet = try service.createSubnet(
                SubnetDraft(project: TestCloud.project, network: network, prefix: IPPrefix("10.9.0.0/24")),
                viewer: .everything, at: 1,
                in: transaction)
            _ = try service.reservePorts(
                .interfaces([.init(network: network.text, port: nil, fixedIP: nil, tag: nil)], securityGroups: []),
                server: server, hostname: "g", permissions: TestCloud.permissions(TestCloud.member),
                project: TestCloud.project, at: 4,
                in: transaction)
            try service.bindPorts(of: server, to: Self.node2, availabilityZone: "nova", at: 4, in: transaction)
            let id = try service.createRouter(
                RouterDraft(project: TestCloud.project), viewer: RoutedCloud.admin, at: 5, in: transaction)
            _ = try service.addInterface(
                InterfaceRequest(subnet: subnet), to: id, viewer: RoutedCloud.admin, at: 5, in: transaction)
            return id
        }
        #expect(try await cloud.place(router) == Self.node2)
    }

    @Test("a node that the operator removes leaves its routers to others")
    func removed() async throws {
        let cloud = try await RoutedCloud()
        let router = try await cloud.router(hasGateway: true)
        cloud.directory.change { $0.removeFirst() }
        try await cloud.hears { try $0.nodeRemoved(Self.node1, at: 5, in: $1) }
        #expect(try await cloud.place(router) == Self.node2)
        cloud.directory.change { $0 = [] }
        try await cloud.hears { try $0.nodeRemoved(Self.node2, at: 6, in: $1) }
        #expect(try await cloud.place(router) == nil)
        #expect(try await cloud.state(router).ports.allSatisfy { $0.host.isEmpty && $0.status == "DOWN" })
    }

    @Test("only what a node says of the newest entry counts")
    func statuses() async throws {
        let cloud = try await RoutedCloud()
        let router = try await cloud.router(hasGateway: true)
        let consumer = try #require(cloud.slice.consumers.first { $0.kind == .router })
        func say(_ generation: Int64, _ phase: ResourceStatus.Phase, from node: NodeID = Self.node1) async throws
            -> Set<String>
        {
            let status = ResourceStatus(
                key: .router(router), generation: generation, phase: phase,
                error: StatusError(code: .hostFailure, message: "No.", detail: "d"))
            return try await cloud.write { service, transaction in
                try consumer.consume(status, from: node, at: 9, in: transaction)
                return Set(try service.state(of: router, in: transaction).ports.map(\.status))
            }
        }
        let newest = try #require(cloud.plan.generation(of: .router(router), on: Self.node1))
        #expect(try await say(newest - 1, .ready) == ["DOWN"])
        #expect(try await say(newest, .ready, from: Self.node2) == ["DOWN"])
        #expect(try await say(newest, .applying) == ["DOWN"])
        #expect(try await say(newest, .ready) == ["ACTIVE"])
        #expect(try await say(newest, .failed) == ["DOWN"])
        #expect(try await cloud.state(router).lastError == "No. [d]")
    }
}
