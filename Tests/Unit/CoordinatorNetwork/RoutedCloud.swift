import CoordinatorFleet
import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel
import Synchronization

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
            let network = try service.createNetwork(
                NetworkDraft(project: TestCloud.project), viewer: .everything, at: 1, in: transaction)
            let subnet = try service.createSubnet(
                SubnetDraft(project: TestCloud.project, network: network, prefix: IPPrefix("10.0.0.0/24")),
                viewer: .everything, at: 1,
                in: transaction)
            var draft = NetworkDraft(project: TestCloud.otherProject)
            draft.isExternal = true
            draft.networkType = "flat"
            draft.physicalNetwork = "physnet1"
            let external = try service.createNetwork(draft, viewer: .everything, at: 1, in: transaction)
            var outside = SubnetDraft(
                project: TestCloud.otherProject, network: external, prefix: IPPrefix("203.0.113.0/24"))
            outside.isDHCPEnabled = false
            _ = try service.createSubnet(outside, viewer: .everything, at: 1, in: transaction)
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
