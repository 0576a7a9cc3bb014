import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("which images a host is given")
struct NeededImageTests {
    private static let node = NodeID(high: 1, low: 1)

    /// Servers whose images are named by their own numbers.
    private struct Servers: PlanSpecProvider {
        let kind = ResourceKind.server

        func specs(of ids: [AnyID], on node: NodeID, in reader: any SQLReader) throws -> [AnyID: ResourceSpec] {
            Dictionary(uniqueKeysWithValues: ids.map { ($0, .server(Self.spec($0.low))) })
        }

        static func spec(_ number: UInt64) -> ServerSpec {
            ServerSpec(
                id: ServerID(high: 0, low: number), project: .init(high: 0, low: 1), user: .init(high: 0, low: 2),
                name: "vm", hostname: "vm", number: 1, flavorName: "m1.nano", vcpus: 1, memoryMiB: 64, rootGiB: 0,
                image: ImageSpec(
                    id: ImageID(high: 0, low: number), sha512: "hash-\(number)", sizeBytes: 1, format: .raw),
                rootDiskVersion: 0, power: .running, interfaces: [], hasConfigDrive: false)
        }
    }

    @Test("those of the servers that it shall have, and no others")
    func needed() async throws {
        let database = try await FleetFixture.database(with: Self.node)
        let plans = PlanService(sessions: SessionRegistry(startedAt: 0))
        try await database.write { transaction in
            try plans.put(.server(ServerID(high: 0, low: 1)), on: Self.node, in: transaction)
            try plans.remove(.server(ServerID(high: 0, low: 2)), from: Self.node, in: transaction)
            try plans.put(.port(PortID(high: 0, low: 3)), on: Self.node, in: transaction)
        }
        let reader = PlanReader(providers: [Servers()])
        let needs = try await database.read { database in
            try (1...4).filter { try reader.needsImage("hash-\($0)", on: Self.node, in: database) }
        }
        #expect(needs == [1])
        let elsewhere = try await database.read {
            try reader.needsImage("hash-1", on: NodeID(high: 1, low: 2), in: $0)
        }
        #expect(!elsewhere)
    }
}
