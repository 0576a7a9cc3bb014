import CoordinatorFleet
import CoordinatorPlatform
import Logging
import ProtocolLink
import ProtocolModel
import Testing

@Suite("who may be an agent")
struct FleetSessionTests {
    /// A store that does not get to it.
    private struct BusyDatabase: SQLDatabase {
        func read<T: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> T) async throws -> T {
            throw StoreError.overloaded
        }
        func write<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
            throw StoreError.overloaded
        }
    }

    private struct NoImages: ImageBlobSource {
        func read(
            image: ImageID, sha512: String, from offset: Int64
        ) async throws -> AsyncThrowingStream<[UInt8], any Error> { throw StoreError.overloaded }
    }

    private struct StillClock: WallClock {
        func now() -> Int64 { 1_700_000_000_000_000 }
    }

    private func link(_ database: any SQLDatabase) throws -> any LinkService {
        let core = FleetCore(clock: StillClock(), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return FleetSlice(
            core: core, database: database, authority: try CertificateAuthority.create(at: 1_700_000_000),
            participants: FleetParticipants(
                providers: [], consumers: [], observers: [], operationConsumers: [], images: NoImages()),
            explain: { _, _ in nil }
        ).link
    }

    @Test("a store that cannot say now tells no agent that it was removed")
    func busy() async throws {
        let link = try link(BusyDatabase())
        let error = await #expect(throws: LinkRefusal.self) {
            try await link.isRevoked(NodeID(high: 1, low: 1), serial: "1")
        }
        #expect(error?.code == .unavailable)
        let hello = AgentHello(
            node: NodeID(high: 1, low: 1), agentVersion: "1", position: .none, bootID: "b", capabilities: nil)
        let refusal = await #expect(throws: LinkRefusal.self) { try await link.admit(hello, from: "::1") }
        #expect(refusal?.code == .unavailable)
    }

    @Test("whoever is in the cloud is, and whoever is not is not")
    func known() async throws {
        let node = NodeID(high: 1, low: 1)
        let link = try link(try await FleetFixture.database(with: node))
        #expect(try await !link.isRevoked(node, serial: "1"))
        #expect(try await link.isRevoked(NodeID(high: 1, low: 2), serial: "1"))
    }
}
