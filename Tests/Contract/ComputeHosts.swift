import CoordinatorBlockStorage
import CoordinatorCompute
import CoordinatorFleet
import CoordinatorNetwork
import CoordinatorPlacement
import CoordinatorPlatform
import Logging
import ProtocolModel
import Synchronization

/// Two hosts or more of the real fleet, `host-a`, `host-b`, ..., with sessions that a test speaks for.
struct ComputeHosts: Sendable {
    let first: NodeID
    let second: NodeID
    let all: [NodeID]
    private let database: any SQLDatabase
    private let registry: SessionRegistry
    private let operations: OperationService
    private let intake: StatusIntake
    /// What a question for the console is answered with.
    static let console = "login: \n"

    init(
        _ core: FleetCore, at now: Int64, database: any SQLDatabase, memoryMiB: Int, compute: ComputeSlice,
        network: NetworkSlice,
        placement: PlacementSlice, volumes: BlockStorageSlice, names: [String] = ["host-a", "host-b"], logger: Logger
    ) async throws {
        self.database = database
        registry = core.registry
        operations = OperationService(consumers: [compute.operationConsumer])
        intake = StatusIntake(
            consumers: network.consumers + volumes.consumers + [compute.consumer],
            plan: PlanService(sessions: core.registry),
            plans: PlanReader(providers: network.providers + volumes.providers + [compute.provider]),
            figures: FleetFigures(),
            logger: logger)
        let nodes = NodeService(
            registry: core.registry,
            observers: placement.observers + network.observers + volumes.observers + [compute.nodeObserver],
            logger: logger)
        let registry = core.registry
        let ids = try await database.write { transaction in
            try names.map { name in
                let token = try nodes.makeToken(
                    authority: Array(repeating: 1, count: 32), uses: 1, lifetime: 1, now: now, in: transaction)
                guard let id = try nodes.admit(secret: token.secret, hostname: name, at: now, in: transaction) else {
                    throw ComputeCloud.Failure(text: "no host")
                }
                Self.connect(id, registry, at: now)
                // The scheduler always takes the first while it fits.
                let memory = name == "host-a" ? memoryMiB : memoryMiB / 2
                try nodes.report(Self.report(name, memory), by: id, at: now, in: transaction)
                return id
            }
        }
        (first, second, all) = (ids[0], ids[1], ids)
        try await database.write { try nodes.judge(at: now, in: $0) }
    }

    private static func connect(_ node: NodeID, _ registry: SessionRegistry, at now: Int64) {
        registry.register(
            SessionRegistry.Handle(
                serial: 1, keepAlive: 5_000_000,
                ask: { [weak registry] question in
                    _ = registry?.answer(
                        OperationResult(id: question.id, outcome: .done(output: Array(console.utf8))))
                }), node: node, at: now)
        registry.markReported(1, node: node)
        registry.keep(
            NodeHealth(
                uptimeSeconds: 90_061, loadMilli: 250, usedMemoryMiB: 700, freeDiskGiB: 90, runningGuests: 0,
                problems: []), of: node)
    }

    private static func report(_ hostname: String, _ memoryMiB: Int) -> NodeReport {
        let hypervisor = HypervisorReport(
            type: "QEMU", version: 7_002_000, virtType: "kvm", cpuModel: "EPYC", cpuVendor: "AMD",
            cpuArchitecture: "x86_64", cpuFeatures: ["svm"], cpuSockets: 1, cpuCores: 4, cpuThreads: 2,
            machineTypes: ["q35"], hasUEFI: true)
        return NodeReport(
            hostname: hostname, roles: [.compute, .storage], agentVersion: "1", availabilityZone: "nova",
            capacity: NodeCapacity(
                vcpus: 8, memoryMiB: memoryMiB + 512, diskGiB: 100, reservedMemoryMiB: 512, reservedDiskGiB: 0,
                usedMemoryMiB: 700, freeDiskGiB: 90), hypervisor: hypervisor, physicalNetworks: [], problems: [],
            pools: [StoragePool(name: "files", backend: "file", totalGiB: 100, freeGiB: 90, provisionedGiB: 0)])
    }

    func say(_ status: ResourceStatus, from node: NodeID, at now: Int64) async throws {
        try await database.write { try intake.take([status], from: node, at: now, in: $0) }
    }

    func listen(at now: Int64) { registry.lookOut(at: now) }

    /// The host is gone, and everybody knows it.
    func goDown(_ node: NodeID) async throws {
        registry.unregister(1, node: node)
        try await database.write { transaction in
            try transaction.execute("UPDATE nodes SET health = 'down' WHERE uuid = ?", [node])
            try ChangeFeed.append(topic: FleetFeed.nodes, key: node.text, at: 1, in: transaction)
        }
    }

    /// What the first host was told to do and has not told the end of.
    func pending() async throws -> [Operation] {
        try await database.read { try operations.pending(of: first, in: $0) }
    }

    func end(_ operation: OperationID, _ outcome: OperationResult.Outcome, at now: Int64) async throws {
        try await database.write {
            try operations.ended(OperationResult(id: operation, outcome: outcome), from: first, at: now, in: $0)
        }
    }
}

/// The real network slice, until it is told to refuse.
final class ComputeNetworkRefusals: NetworkForCompute {
    private let network: any NetworkForCompute
    private let next = Mutex<CoordinatorPlatform.Refusal?>(nil)

    init(_ network: any NetworkForCompute) { self.network = network }

    func refuse(_ refusal: CoordinatorPlatform.Refusal) { next.withLock { $0 = refusal } }

    func reservePorts(
        _ request: NetworkRequest, server: ServerID, hostname: String, permissions: Permissions, project: ProjectID,
        at now: Int64, in transaction: any SQLTransaction
    ) throws -> [ServerPort] {
        if let refusal = next.withLock({ $0 }) { throw refusal }
        return try network.reservePorts(
            request, server: server, hostname: hostname, permissions: permissions, project: project, at: now,
            in: transaction)
    }

    func attachPort(
        _ interface: NetworkRequest.Interface, server: ServerID, hostname: String, permissions: Permissions,
        project: ProjectID, at now: Int64, in transaction: any SQLTransaction
    ) throws -> PortID {
        if let refusal = next.withLock({ $0 }) { throw refusal }
        return try network.attachPort(
            interface, server: server, hostname: hostname, permissions: permissions, project: project, at: now,
            in: transaction)
    }

    func setGroup(
        _ name: String, isMember: Bool, of server: ServerID, project: ProjectID, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        try network.setGroup(name, isMember: isMember, of: server, project: project, at: now, in: transaction)
    }

    func detachPort(_ port: PortID, of server: ServerID, at now: Int64, in transaction: any SQLTransaction) throws {
        try network.detachPort(port, of: server, at: now, in: transaction)
    }

    func bindPorts(
        of server: ServerID, to node: NodeID, availabilityZone: String, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {
        try network.bindPorts(of: server, to: node, availabilityZone: availabilityZone, at: now, in: transaction)
    }

    func releasePorts(of server: ServerID, at now: Int64, in transaction: any SQLTransaction) throws {
        try network.releasePorts(of: server, at: now, in: transaction)
    }

    func unbindPorts(of server: ServerID, at now: Int64, in transaction: any SQLTransaction) throws {
        try network.unbindPorts(of: server, at: now, in: transaction)
    }

    func ports(of servers: [ServerID], in reader: any SQLReader) throws -> [ServerID: [ServerPort]] {
        try network.ports(of: servers, in: reader)
    }

    func securityGroupNames(of servers: [ServerID], in reader: any SQLReader) throws -> [ServerID: [String]] {
        try network.securityGroupNames(of: servers, in: reader)
    }

    func physicalNetworks(of server: ServerID, in reader: any SQLReader) throws -> Set<String> {
        try network.physicalNetworks(of: server, in: reader)
    }
}
