import CoordinatorFleet
import CoordinatorPlatform
import Logging
import ProtocolLink
import ProtocolModel
import Synchronization
import Testing

@Suite("who may be an agent", .timeLimit(.minutes(1)))
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
        func receive(
            image: ImageID, sizeBytes: Int64, from bytes: AsyncThrowingStream<[UInt8], any Error>
        ) async throws { throw StoreError.overloaded }
    }

    /// In which the operator removes all nodes after so many reads.
    private final class RemovingDatabase: SQLDatabase {
        private let base: any SQLDatabase
        private let readsLeft: Mutex<Int>

        init(_ base: any SQLDatabase, after reads: Int) {
            self.base = base
            readsLeft = Mutex(reads)
        }

        func read<T: Sendable>(_ body: @escaping @Sendable (any SQLReader) throws -> T) async throws -> T {
            let result = try await base.read(body)
            let isLast = readsLeft.withLock { left in
                left -= 1
                return left == 0
            }
            if isLast { try await base.write { try $0.execute("UPDATE nodes SET removed_at = 1") } }
            return result
        }
        func write<T: Sendable>(_ body: @escaping @Sendable (any SQLTransaction) throws -> T) async throws -> T {
            try await base.write(body)
        }
    }

    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func link(
        _ database: any SQLDatabase, _ authority: CertificateAuthority? = nil
    ) throws -> any LinkService {
        let core = FleetCore(clock: SystemClock(), logger: Self.quiet)
        return FleetSlice(
            core: core, database: database, authority: try authority ?? CertificateAuthority.create(at: 1_700_000_000),
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

    @Test("a node that is removed between its being admitted and its session's beginning has no session")
    func removedMeanwhile() async throws {
        let node = NodeID(high: 1, low: 1)
        let now = SystemClock().now() / 1_000_000
        let authority = try CertificateAuthority.create(at: now)
        // Whether it is revoked, and what it is to be sent: then it is gone.
        let database = RemovingDatabase(try await FleetFixture.database(with: node), after: 2)
        let server = try await LinkServer.start(
            LinkServer.Configuration(host: "127.0.0.1", port: 0), authority: authority,
            certificate: authority.issueServerCertificate(names: ["127.0.0.1"], at: now),
            service: try link(database, authority), logger: Self.quiet)
        let request = try CertificateRequest()
        let grant = try authority.issueNodeCertificate(request: request.der, node: node, at: now)
        let identity = try NodeIdentity(
            certificatePEM: grant.certificatePEM, privateKeyPEM: request.privateKeyPEM,
            authorityPEM: grant.authorityPEM)
        let connection = try await LinkClient.connect(
            LinkEndpoint(host: "127.0.0.1", port: server.port), identity: identity,
            hello: AgentHello(
                node: node, agentVersion: "1", position: PlanPosition(epoch: 1, revision: 0), bootID: "b"))
        let closure = await connection.waitUntilClosed()
        #expect(closure.isByPeer && closure.reason == .revoked)
        await server.stop(grace: .zero)
    }

    @Test("whoever is in the cloud is, and whoever is not is not")
    func known() async throws {
        let node = NodeID(high: 1, low: 1)
        let link = try link(try await FleetFixture.database(with: node))
        #expect(try await !link.isRevoked(node, serial: "1"))
        #expect(try await link.isRevoked(NodeID(high: 1, low: 2), serial: "1"))
    }
}
