import CoordinatorFleet
import CoordinatorPlacement
import CoordinatorPlatform
import Logging
import ProtocolModel

/// Hosts with pools in the real fleet, with sessions that a test speaks for.
struct VolumeHosts: Sendable {
    /// `store-a` with the pools `local` and `fast`, `store-b` with `local`.
    let first: NodeID
    let second: NodeID
    private let database: any SQLDatabase
    private let registry: SessionRegistry
    private let intake: StatusIntake
    private let nodes: NodeService

    init(
        _ core: FleetCore, at now: Int64, database: any SQLDatabase, parts: [any FleetParts], logger: Logger
    ) async throws {
        self.database = database
        registry = core.registry
        intake = StatusIntake(
            consumers: parts.flatMap(\.consumers), plan: PlanService(sessions: core.registry),
            plans: PlanReader(providers: parts.flatMap(\.providers)), figures: FleetFigures(), logger: logger)
        let nodes = NodeService(registry: core.registry, observers: parts.flatMap(\.observers), logger: logger)
        self.nodes = nodes
        let registry = core.registry
        let ids = try await database.write { transaction in
            try ["store-a", "store-b"].map { name in
                let token = try nodes.makeToken(
                    authority: Array(repeating: 1, count: 32), uses: 1, lifetime: 1, now: now, in: transaction)
                guard let id = try nodes.admit(secret: token.secret, hostname: name, at: now, in: transaction) else {
                    throw VolumeCloud.Failure(text: "no host")
                }
                registry.register(
                    SessionRegistry.Handle(serial: 1, keepAlive: 5_000_000, ask: { _ in }), node: id, at: now)
                registry.markReported(1, node: id)
                try nodes.report(Self.report(name), by: id, at: now, in: transaction)
                return id
            }
        }
        (first, second) = (ids[0], ids[1])
        try await database.write { try nodes.judge(at: now, in: $0) }
    }

    static func report(_ hostname: String, problem: String = "") -> NodeReport {
        let hypervisor = HypervisorReport(
            type: "QEMU", version: 7_002_000, virtType: "kvm", cpuModel: "EPYC", cpuVendor: "AMD",
            cpuArchitecture: "x86_64", cpuFeatures: [], cpuSockets: 1, cpuCores: 4, cpuThreads: 2,
            machineTypes: ["q35"], hasUEFI: true)
        // The scheduler takes the first host while it fits: the second has less.
        let total = hostname == "store-a" ? 100 : 50
        var pools = [
            StoragePool(
                name: "local", backend: "file", totalGiB: total, freeGiB: total, provisionedGiB: 0, problem: problem)
        ]
        if hostname == "store-a" {
            pools.insert(
                StoragePool(name: "fast", backend: "lvm-thin", totalGiB: 10, freeGiB: 10, provisionedGiB: 0), at: 0)
        }
        return NodeReport(
            hostname: hostname, roles: [.storage], agentVersion: "1", availabilityZone: "nova",
            capacity: NodeCapacity(
                vcpus: 8, memoryMiB: 1024, diskGiB: 100, reservedMemoryMiB: 0, reservedDiskGiB: 0,
                usedMemoryMiB: 0, freeDiskGiB: 90), hypervisor: hypervisor, physicalNetworks: [], problems: [],
            pools: pools, exportAddress: IPAddress("192.0.2.\(hostname == "store-a" ? 1 : 2)"))
    }

    func say(_ status: ResourceStatus, from node: NodeID, at now: Int64) async throws {
        try await database.write { try intake.take([status], from: node, at: now, in: $0) }
    }

    func listen(at now: Int64) { registry.lookOut(at: now) }

    func report(_ report: NodeReport, by node: NodeID, at now: Int64) async throws {
        let nodes = nodes
        try await database.write { try nodes.report(report, by: node, at: now, in: $0) }
    }

    func remove(_ node: NodeID, at now: Int64) async throws {
        let nodes = nodes
        try await database.write { _ = try nodes.remove(node, at: now, in: $0) }
    }

    /// The host is gone, and everybody knows it.
    func goDown(_ node: NodeID) async throws {
        registry.unregister(1, node: node)
        try await database.write { transaction in
            try transaction.execute("UPDATE nodes SET health = 'down' WHERE uuid = ?", [node])
            try ChangeFeed.append(topic: FleetFeed.nodes, key: node.text, at: 1, in: transaction)
        }
    }
}
