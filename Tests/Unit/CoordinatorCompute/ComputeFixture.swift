import CoordinatorCompute
import CoordinatorFleet
import CoordinatorImage
import CoordinatorNetwork
import CoordinatorPlatform
import ProtocolModel

/// A database with the compute slice's tables, and servers to put into it.
enum ComputeFixture {
    static let project = ProjectID(high: 1, low: 1)
    static let other = ProjectID(high: 1, low: 2)
    static let user = UserID(high: 2, low: 2)
    static let node = NodeID(high: 7, low: 7)

    static let flavor = FlavorSnapshot(
        id: "1", name: "m1.nano", vcpus: 2, memoryMiB: 512, rootGiB: 1, ephemeralGiB: 0, swapMiB: 0,
        extraSpecs: ["hw:cpu_policy": "shared"])
    static let image = ImageSnapshot(
        spec: ImageSpec(
            id: ImageID(high: 6, low: 6), sha512: String(repeating: "ab", count: 64), sizeBytes: 13 << 20,
            format: .qcow2), name: "guest", virtualSizeBytes: 64 << 20, properties: ["hw_disk_bus": "scsi"])

    static func database() async throws -> EmbeddedDatabase {
        let database = try EmbeddedDatabase(inMemory: .init())
        let steps = PlatformMigrations.all + FleetSlice.migrations + ComputeSlice.migrations
        try await Migrator(steps).migrate(database, now: 0)
        return database
    }

    static func server(_ number: UInt64, _ name: String = "web", project: ProjectID = project) -> ServerRecord {
        ServerRecord(
            id: ServerID(high: 9, low: number), project: project, user: user, name: name, flavor: flavor, image: image,
            createdAt: 100)
    }

    static func insert(_ servers: [ServerRecord], into database: EmbeddedDatabase) async throws {
        try await database.write { transaction in
            for server in servers { _ = try ServerStore().insert(server, in: transaction) }
        }
    }
}

/// Ports with one address each, by the servers' numbers: 10.0.0.NUMBER.
struct AddressesOnly: NetworkForCompute {
    func reservePorts(
        _ request: NetworkRequest, server: ServerID, hostname: String, permissions: Permissions, project: ProjectID,
        at now: Int64, in transaction: any SQLTransaction
    ) throws -> [ServerPort] { [] }
    func attachPort(
        _ interface: NetworkRequest.Interface, server: ServerID, hostname: String, permissions: Permissions,
        project: ProjectID, at now: Int64, in transaction: any SQLTransaction
    ) throws -> PortID { PortID(high: 4, low: server.low) }
    func setGroup(
        _ name: String, isMember: Bool, of server: ServerID, project: ProjectID, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {}
    func detachPort(_ port: PortID, of server: ServerID, at now: Int64, in transaction: any SQLTransaction) throws {}
    func bindPorts(
        of server: ServerID, to node: NodeID, availabilityZone: String, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {}
    func releasePorts(of server: ServerID, at now: Int64, in transaction: any SQLTransaction) throws {}

    func unbindPorts(of server: ServerID, at now: Int64, in transaction: any SQLTransaction) throws {}

    func ports(of servers: [ServerID], in reader: any SQLReader) throws -> [ServerID: [ServerPort]] {
        Dictionary(uniqueKeysWithValues: servers.map { ($0, [port(of: $0)]) })
    }

    private func port(of server: ServerID) -> ServerPort {
        let address = IPAddress(family: .ipv4, bits: 0x0A00_0000 + UInt128(server.low))
        return ServerPort(
            port: PortID(high: 4, low: server.low), network: NetworkID(high: 4, low: 4), networkName: "private",
            mtuBytes: 1450, mac: MACAddress(bits: 0xFA16_3E00_0000 + server.low),
            fixedIPs: [.init(subnet: SubnetID(high: 5, low: 5), address: address)], floatingIPs: [], status: "ACTIVE")
    }

    func securityGroupNames(of servers: [ServerID], in reader: any SQLReader) throws -> [ServerID: [String]] { [:] }
    func physicalNetworks(of server: ServerID, in reader: any SQLReader) throws -> Set<String> { [] }
}
