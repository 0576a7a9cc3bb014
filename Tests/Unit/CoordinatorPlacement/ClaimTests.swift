import CoordinatorFleet
import CoordinatorPlacement
import CoordinatorPlatform
import ProtocolModel
import Testing

/// Nodes as a test wants them.
struct FixedDirectory: NodeDirectory {
    var all: [Node]
    func nodes(in reader: any SQLReader) throws -> [Node] { all }
    func node(_ id: NodeID, in reader: any SQLReader) throws -> Node? { all.first { $0.id == id } }
    func setEnabled(_ enabled: Bool, reason: String?, node: NodeID, at now: Int64, in transaction: any SQLTransaction)
        throws
    {}

    static func node(_ number: Int, memory: Int = 4096, vcpus: Int = 4, disk: Int = 50) -> Node {
        let report = NodeReport(
            hostname: "host-\(number)", roles: [.compute], agentVersion: "1", availabilityZone: "nova",
            capacity: NodeCapacity(
                vcpus: vcpus, memoryMiB: memory, diskGiB: disk, reservedMemoryMiB: 512, reservedDiskGiB: 2,
                usedMemoryMiB: 0, freeDiskGiB: disk),
            hypervisor: HypervisorReport(
                type: "simulated", version: 1, virtType: "simulated", cpuModel: "x", cpuVendor: "x",
                cpuArchitecture: "x86_64", cpuFeatures: [], cpuSockets: 1, cpuCores: vcpus, cpuThreads: 1,
                machineTypes: ["q35"], hasUEFI: true), physicalNetworks: [], problems: [])
        return Node(
            id: NodeID(high: 9, low: UInt64(number)), number: number, hostname: report.hostname, health: .up,
            isEnabled: true, disabledReason: nil, report: report, lastSeen: 0, lastHealth: nil)
    }
}

struct ClaimTests {
    func makeCloud(_ nodes: [Node]) async throws -> (EmbeddedDatabase, PlacementSlice) {
        let slice = PlacementSlice(directory: FixedDirectory(all: nodes))
        let database = try EmbeddedDatabase(inMemory: .init())
        try await Migrator(PlatformMigrations.all + PlacementSlice.migrations).migrate(database, now: 0)
        try await database.write { transaction in
            for node in nodes {
                guard let report = node.report else { continue }
                for observer in slice.observers {
                    try observer.nodeReported(report, by: node.id, at: 1, in: transaction)
                }
            }
        }
        return (database, slice)
    }

    func request(_ number: Int, memory: Int = 512) -> PlacementRequest {
        PlacementRequest(
            consumer: PlacementRequest.Consumer(
                id: AnyID(high: 1, low: UInt64(number)), type: "INSTANCE", project: ProjectID(high: 2, low: 2),
                user: UserID(high: 3, low: 3)),
            resources: [ResourceClass.vcpu: 1, ResourceClass.memory: memory, ResourceClass.disk: 1], role: .compute)
    }

    @Test("claims stop at what the host has less its reserve, and come back by release")
    func fillsAndFrees() async throws {
        let (database, slice) = try await makeCloud([FixedDirectory.node(1)])
        let service = slice.service
        let outcomes = try await database.write { transaction in
            try (1...8).map { try service.claim(request($0), at: 2, in: transaction) }
        }
        // 4096 - 512 reserved = 3584 MiB: seven times 512.
        #expect(outcomes.map { $0.host != nil } == Array(repeating: true, count: 7) + [false])
        #expect(outcomes.last?.summary == "1 host: 1 short of memory (need 512 MiB, has 0)")
        let again = try await database.write { transaction in
            try service.release(AnyID(high: 1, low: 3), at: 3, in: transaction)
            try service.release(AnyID(high: 1, low: 3), at: 3, in: transaction)
            return try service.claim(request(8), at: 3, in: transaction)
        }
        #expect(again.host != nil)
    }

    @Test("claiming again for the same consumer replaces its claim")
    func replaces() async throws {
        let (database, slice) = try await makeCloud([FixedDirectory.node(1)])
        let service = slice.service
        let hosts = try await database.write { transaction in
            try (0..<20).map { _ in try service.claim(request(1, memory: 1024), at: 2, in: transaction).host }
        }
        #expect(hosts.allSatisfy { $0 != nil })
    }

    @Test("a smaller report shrinks the host, a removed node takes its claims along")
    func shrinksAndGoes() async throws {
        let node = FixedDirectory.node(1)
        let (database, slice) = try await makeCloud([node])
        let service = slice.service
        var report = try #require(node.report)
        report.capacity.memoryMiB = 1024
        let small = report
        let decision = try await database.write { transaction in
            _ = try service.claim(request(1), at: 2, in: transaction)
            for observer in slice.observers { try observer.nodeReported(small, by: node.id, at: 3, in: transaction) }
            return try service.claim(request(2), at: 4, in: transaction)
        }
        #expect(decision.summary == "1 host: 1 short of memory (need 512 MiB, has 0)")
        try await database.write { transaction in
            for observer in slice.observers { try observer.nodeRemoved(node.id, at: 5, in: transaction) }
            try service.release(AnyID(high: 1, low: 1), at: 3, in: transaction)
        }
    }

    @Test("five hundred at once spread over ten hosts, none overfull")
    func manyAtOnce() async throws {
        let nodes = (1...10).map { FixedDirectory.node($0, memory: 32 * 1024 + 512, vcpus: 16, disk: 1000) }
        let (database, slice) = try await makeCloud(nodes)
        let service = slice.service
        let hosts = try await withThrowingTaskGroup(of: NodeID?.self) { group in
            for number in 1...500 {
                group.addTask {
                    try await database.write { try service.claim(request(number), at: 2, in: $0).host?.node }
                }
            }
            return try await group.reduce(into: [NodeID?]()) { $0.append($1) }
        }
        let counts = Dictionary(grouping: hosts.compactMap { $0 }, by: { $0 }).mapValues(\.count)
        #expect(counts.values.reduce(0, +) == 500)
        #expect(counts.values.allSatisfy { $0 == 50 })
    }
}
