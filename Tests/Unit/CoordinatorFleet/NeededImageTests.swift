import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel
import Testing

@Suite("which images a host is given")
struct NeededImageTests {
    private static let node = NodeID(high: 1, low: 1)

    /// A kind that is made from one image, or from none.
    private struct Provider: PlanSpecProvider {
        let kind: ResourceKind
        let image: String?

        func specs(of ids: [AnyID], on node: NodeID, in reader: any SQLReader) throws -> [AnyID: ResourceSpec] { [:] }

        func needsImage(_ sha512: String, on node: NodeID, in reader: any SQLReader) throws -> Bool {
            node == NeededImageTests.node && sha512 == image
        }
    }

    @Test("those that any kind says it is made from, on that host, and no others")
    func needed() async throws {
        let database = try await FleetFixture.database(with: Self.node)
        let reader = PlanReader(providers: [
            Provider(kind: .server, image: "one"), Provider(kind: ResourceKind(rawValue: 900), image: "two"),
            Provider(kind: .port, image: nil)
        ])
        try await database.read { database in
            let needs = try ["one", "two", "three"].filter { try reader.needsImage($0, on: Self.node, in: database) }
            #expect(needs == ["one", "two"])
            #expect(try !reader.needsImage("one", on: NodeID(high: 1, low: 2), in: database))
        }
    }
}
