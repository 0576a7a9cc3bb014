import CoordinatorFleet
import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Synchronization
import Testing

/// Nodes that change while the test looks.
final class ChangingDirectory: NodeDirectory {
    private let known = Mutex<[Node]>([])

    func change(_ body: (inout [Node]) -> Void) { known.withLock { body(&$0) } }

    func nodes(in reader: any SQLReader) throws -> [Node] { known.withLock { $0 } }
    func node(_ id: NodeID, in reader: any SQLReader) throws -> Node? { try nodes(in: reader).first { $0.id == id } }
    func setEnabled(_ enabled: Bool, reason: String?, node: NodeID, at now: Int64, in transaction: any SQLTransaction)
        throws
    {}

    static func node(_ number: Int, physicalNetworks: [String] = ["physnet1"], tunnel: Int? = nil) -> Node {
        let report = NodeReport(
            hostname: "host-\(number)", roles: [.network, .compute], agentVersion: "1", availabilityZone: "nova",
            capacity: NodeCapacity(
                vcpus: 1, memoryMiB: 1, diskGiB: 1, reservedMemoryMiB: 0, reservedDiskGiB: 0, usedMemoryMiB: 0,
                freeDiskGiB: 1),
            hypervisor: HypervisorReport(
                type: "QEMU", version: 1, virtType: "qemu", cpuModel: "", cpuVendor: "", cpuArchitecture: "x86_64",
                cpuFeatures: [], cpuSockets: 1, cpuCores: 1, cpuThreads: 1, machineTypes: [], hasUEFI: false),
            physicalNetworks: physicalNetworks, problems: [],
            tunnelAddress: IPAddress("192.0.2.\(tunnel ?? number)"))
        return Node(
            id: FixedDirectory.id(number), number: number, hostname: "host-\(number)", health: .up, isEnabled: true,
            disabledReason: nil, report: report, lastSeen: 0, lastHealth: nil)
    }
}

/// A network slice with nodes that can route, a tenant's network and an external one.
struct RoutedCloud: Sendable {
    let database: EmbeddedDatabase
    let plan = RecordedPlan()
    let directory = ChangingDirectory()
    let slice: NetworkSlice
    let network: NetworkID
    let subnet: SubnetID
    let external: NetworkID
    var service: NetworkService { slice.service }

    static let admin = Viewer(isAdmin: true, project: TestCloud.project)

    init(nodes: Int = 2) async throws {
        database = try EmbeddedDatabase(inMemory: .init())
        let slice = NetworkSlice(plan: plan, directory: directory)
        self.slice = slice
        try await Migrator(PlatformMigrations.all + NetworkSlice.migrations).migrate(database, now: 0)
        directory.change { known in known = (1...max(nodes, 1)).map { ChangingDirectory.node($0) } }
        if nodes == 0 { directory.change { $0 = [] } }
        let service = slice.service
        (network, subnet, external) = try await database.write { transaction in
            let network = try service.createNetwork(NetworkDraft(project: TestCloud.project), at: 1, in: transaction)
            let subnet = try service.createSubnet(
                SubnetDraft(project: TestCloud.project, network: network, prefix: IPPrefix("10.0.0.0/24")), at: 1,
                in: transaction)
            var draft = NetworkDraft(project: TestCloud.otherProject)
            draft.isExternal = true
            draft.networkType = "flat"
            draft.physicalNetwork = "physnet1"
            let external = try service.createNetwork(draft, at: 1, in: transaction)
            var outside = SubnetDraft(
                project: TestCloud.otherProject, network: external, prefix: IPPrefix("203.0.113.0/24"))
            outside.isDHCPEnabled = false
            _ = try service.createSubnet(outside, at: 1, in: transaction)
            return (network, subnet, external)
        }
    }

    @discardableResult
    func write<T: Sendable>(
        _ body: @escaping @Sendable (NetworkService, any SQLTransaction) throws -> T
    ) async throws -> T {
        let service = service
        return try await database.write { try body(service, $0) }
    }

    func read<T: Sendable>(_ body: @escaping @Sendable (NetworkService, any SQLReader) throws -> T) async throws -> T {
        let service = service
        return try await database.read { try body(service, $0) }
    }

    func router(hasGateway: Bool = false, hasInterface: Bool = true) async throws -> RouterID {
        let (subnet, external) = (subnet, external)
        return try await write { service, transaction in
            var draft = RouterDraft(project: TestCloud.project)
            if hasGateway { draft.change.gateway = .network(GatewayRequest(network: external)) }
            let id = try service.createRouter(draft, viewer: Self.admin, at: 2, in: transaction)
            if hasInterface {
                _ = try service.addInterface(
                    InterfaceRequest(subnet: subnet), to: id, viewer: Self.admin, at: 2, in: transaction)
            }
            return id
        }
    }

    /// Tells the slice what the fleet tells of a node.
    func hears(_ body: @escaping @Sendable (any NodeObserver, any SQLTransaction) throws -> Void) async throws {
        let observer = slice.observers[0]
        try await database.write { try body(observer, $0) }
    }

    func state(_ router: RouterID) async throws -> RouterState { try await read { try $0.state(of: router, in: $1) } }

    func place(_ router: RouterID) async throws -> NodeID? { try await state(router).node }

    func spec(_ key: ResourceKey, on node: NodeID) async throws -> ResourceSpec? {
        let slice = slice
        return try await database.read { reader in
            try slice.providers.first { $0.kind == key.kind }?.specs(of: [key.id], on: node, in: reader)[key.id]
        }
    }
}

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
        try await cloud.hears { try $0.nodeHealthChanged(.suspect, of: Self.node1, at: 5, in: $1) }
        #expect(try await cloud.place(router) == Self.node1)
        cloud.directory.change { $0[0].health = .down }
        try await cloud.hears { try $0.nodeHealthChanged(.down, of: Self.node1, at: 6, in: $1) }
        #expect(try await cloud.place(router) == Self.node2)
        #expect(cloud.plan.keys(on: Self.node1) == [])
        #expect(
            cloud.plan.keys(on: Self.node2) == [.router(router), .network(cloud.network), .network(cloud.external)])
        #expect(try await cloud.state(router).ports.map(\.host) == ["host-2", "host-2"])
        cloud.directory.change { $0[0].health = .up }
        try await cloud.hears { try $0.nodeHealthChanged(.up, of: Self.node1, at: 7, in: $1) }
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
                try small.createNetwork(NetworkDraft(project: TestCloud.project), at: 1, in: transaction)
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
                _ = try full.createNetwork(NetworkDraft(project: TestCloud.project), at: 1, in: $0)
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
            try service.updatePort(port.port, change, at: 5, in: transaction)
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
