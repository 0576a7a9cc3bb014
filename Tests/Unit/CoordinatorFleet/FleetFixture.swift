import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel

enum FleetFixture {
    static let report = NodeReport(
        hostname: "host", roles: [.compute], agentVersion: "1", availabilityZone: "nova",
        capacity: NodeCapacity(
            vcpus: 1, memoryMiB: 1, diskGiB: 1, reservedMemoryMiB: 0, reservedDiskGiB: 0, usedMemoryMiB: 0,
            freeDiskGiB: 1),
        hypervisor: HypervisorReport(
            type: "simulated", version: 1, virtType: "simulated", cpuModel: "x", cpuVendor: "x",
            cpuArchitecture: "x86_64", cpuFeatures: [], cpuSockets: 1, cpuCores: 1, cpuThreads: 1,
            machineTypes: ["q35"],
            hasUEFI: true), physicalNetworks: [], problems: [])

    static func database() async throws -> EmbeddedDatabase {
        let database = try EmbeddedDatabase(inMemory: .init())
        try await Migrator(PlatformMigrations.all + FleetSlice.migrations).migrate(database, now: 0)
        return database
    }

    /// A database that knows one node.
    static func database(with node: NodeID) async throws -> EmbeddedDatabase {
        let database = try await database()
        try await database.write { transaction in
            try transaction.execute(
                """
                INSERT INTO nodes (uuid, hostname, health, enabled, last_seen, created_at, plan_epoch, plan_revision,
                    acknowledged_revision)
                VALUES (?, 'host', 'up', 1, 0, 0, 1, 0, 0)
                """, [node])
        }
        return database
    }
}
