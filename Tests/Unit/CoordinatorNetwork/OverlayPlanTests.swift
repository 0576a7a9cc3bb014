import CoordinatorFleet
import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("overlay networks on nodes")
struct OverlayPlanTests {
    private static let node1 = FixedDirectory.id(1)
    private static let node2 = FixedDirectory.id(2)

    private func guest(_ number: Int, on node: NodeID, of cloud: RoutedCloud) async throws -> ServerPort {
        let server = server(number)
        return try await cloud.write { service, transaction in
            let ports = try service.reservePorts(
                .automatic, server: server, hostname: "g", permissions: TestCloud.permissions(TestCloud.member),
                project: TestCloud.project, at: 4,
                in: transaction)
            try service.bindPorts(of: server, to: node, availabilityZone: "nova", at: 4, in: transaction)
            return ports[0]
        }
    }

    private func remotes(_ cloud: RoutedCloud, on node: NodeID) async throws -> [NetworkSpec.RemotePort] {
        guard case .network(let spec)? = try await cloud.spec(.network(cloud.network), on: node) else { return [] }
        return spec.remotePorts
    }

    private func report(_ number: Int, tunnel: String?, to cloud: RoutedCloud) async throws {
        guard var report = ChangingDirectory.node(number).report else { return }
        report.tunnelAddress = tunnel.flatMap { IPAddress($0) }
        let said = report
        try await cloud.hears { try $0.nodeReported(said, by: FixedDirectory.id(number), at: 3, in: $1) }
    }

    @Test("a tenant's network is one, with a number and what fits into a tunnel")
    func tenant() async throws {
        let cloud = try await RoutedCloud()
        guard case .network(let spec)? = try await cloud.spec(.network(cloud.network), on: Self.node1),
            case .vxlan(let vni) = spec.attachment
        else {
            Issue.record("not an overlay network")
            return
        }
        #expect(OverlayRanges.all.contains(vni) && spec.mtuBytes == 1450)
        var settings = NetworkSettings(vniRanges: OverlayRanges([7...8]), underlayFamily: .ipv6)
        #expect(settings.mtuBytes(of: .vxlan(vni: 1)) == 1430)
        let small = NetworkSlice(plan: cloud.plan, directory: cloud.directory, settings: settings).service
        let made = try await cloud.database.write { transaction in
            try (0..<3).map { _ in
                try small.createNetwork(
                    NetworkDraft(project: TestCloud.project), viewer: .everything, at: 1, in: transaction)
            }
        }
        var types: [NetworkSpec.Attachment?] = []
        for id in made {
            guard case .network(let spec)? = try await cloud.spec(.network(id), on: Self.node1) else { continue }
            types.append(spec.attachment)
        }
        #expect(Set(types) == [.vxlan(vni: 7), .vxlan(vni: 8), .local])
        settings.tenantNetworkTypes = [.vxlan]
        let full = NetworkSlice(plan: cloud.plan, directory: cloud.directory, settings: settings).service
        await #expect(throws: APIError.self) {
            try await cloud.database.write {
                _ = try full.createNetwork(NetworkDraft(project: TestCloud.project), viewer: .everything, at: 1, in: $0)
            }
        }
    }

    @Test("each node knows the ports on the others, and hears when they come, change and go")
    func remotePorts() async throws {
        let cloud = try await RoutedCloud()
        try await report(1, tunnel: "192.0.2.1", to: cloud)
        try await report(2, tunnel: "192.0.2.2", to: cloud)
        let router = try await cloud.router()
        #expect(try await cloud.place(router) == Self.node1)
        let key = ResourceKey.network(cloud.network)
        let before = try #require(cloud.plan.generation(of: key, on: Self.node1))
        let port = try await guest(1, on: Self.node2, of: cloud)
        #expect(try #require(cloud.plan.generation(of: key, on: Self.node1)) > before)
        #expect(
            try await remotes(cloud, on: Self.node1) == [
                NetworkSpec.RemotePort(
                    mac: port.mac, addresses: port.fixedIPs.map(\.address), tunnel: try #require(IPAddress("192.0.2.2"))
                )
            ])
        let interface = try await cloud.state(router).ports[0]
        #expect(
            try await remotes(cloud, on: Self.node2) == [
                NetworkSpec.RemotePort(
                    mac: interface.mac, addresses: interface.addresses,
                    tunnel: try #require(IPAddress("192.0.2.1")))
            ])
        let bound = try #require(cloud.plan.generation(of: key, on: Self.node1))
        try await cloud.write { service, transaction in
            var change = PortChange()
            change.fixedIPs = [FixedIPRequest(address: IPAddress("10.0.0.99"))]
            try service.updatePort(port.port, change, viewer: .everything, at: 5, in: transaction)
        }
        #expect(try #require(cloud.plan.generation(of: key, on: Self.node1)) > bound)
        #expect(try await remotes(cloud, on: Self.node1)[0].addresses.map(\.description) == ["10.0.0.99"])
        let addressed = try #require(cloud.plan.generation(of: key, on: Self.node1))
        try await cloud.write { try $0.releasePorts(of: server(1), at: 6, in: $1) }
        #expect(try #require(cloud.plan.generation(of: key, on: Self.node1)) > addressed)
        #expect(try await remotes(cloud, on: Self.node1) == [])
    }

    @Test("a node's tunnel that moves, comes or goes is told to the others")
    func tunnelMoves() async throws {
        let cloud = try await RoutedCloud()
        _ = try await guest(1, on: Self.node1, of: cloud)
        _ = try await guest(2, on: Self.node2, of: cloud)
        #expect(try await remotes(cloud, on: Self.node1) == [])
        let key = ResourceKey.network(cloud.network)
        var generation = try #require(cloud.plan.generation(of: key, on: Self.node1))
        for (tunnel, isNews) in [("192.0.2.2", true), ("192.0.2.2", false), ("192.0.2.22", true), (nil, true)] {
            try await report(2, tunnel: tunnel, to: cloud)
            #expect(try await remotes(cloud, on: Self.node1).map(\.tunnel.description) == (tunnel.map { [$0] } ?? []))
            let next = try #require(cloud.plan.generation(of: key, on: Self.node1))
            #expect((next > generation) == isNews, "\(tunnel ?? "none")")
            generation = next
        }
    }
}

@Suite("floating IPs of servers")
struct ServerFloatingIPTests {
    @Test("a server shows the outside addresses of its ports, and loses them with the port")
    func shown() async throws {
        let cloud = try await RoutedCloud(nodes: 1)
        _ = try await cloud.router(hasGateway: true)
        let external = cloud.external
        let server = server(1)
        let (port, address) = try await cloud.write { service, transaction in
            let ports = try service.reservePorts(
                .automatic, server: server, hostname: "g", permissions: TestCloud.permissions(TestCloud.member),
                project: TestCloud.project, at: 4,
                in: transaction)
            var draft = FloatingIPDraft(project: TestCloud.project, network: external)
            draft.change.port = .some(ports[0].port)
            _ = try service.createFloatingIP(draft, viewer: RoutedCloud.admin, at: 5, in: transaction)
            return (ports[0].port, try service.ports(of: [server], in: transaction)[server]?.first?.floatingIPs)
        }
        #expect(address?.map(\.description) == ["203.0.113.3"])
        try await cloud.write { try $0.releasePorts(of: server, at: 6, in: $1) }
        let left = try await cloud.read { service, reader in try service.fixedAddresses(of: port, in: reader) }
        #expect(left == [])
    }
}
