import CoordinatorFleet
import CoordinatorPlatform
import Logging
import ProtocolLink
import ProtocolModel
import ProtocolWire
import Synchronization
import Testing

@Suite("what agents send for images", .timeLimit(.minutes(1)))
struct SnapshotUploadTests {
    private static let node = NodeID(high: 1, low: 1)
    private static let image = ImageID(high: 3, low: 3)
    private static let operation = OperationID(high: 2, low: 1)

    /// Takes what comes, but for what is too large or comes too early.
    private final class TakingImages: ImageBlobSource {
        private let taken = Mutex<[ImageID: [UInt8]]>([:])
        var all: [ImageID: [UInt8]] { taken.withLock { $0 } }

        func read(
            image: ImageID, sha512: String, from offset: Int64
        ) async throws -> AsyncThrowingStream<[UInt8], any Error> { throw StoreError.overloaded }

        func receive(
            image: ImageID, sizeBytes: Int64, from bytes: AsyncThrowingStream<[UInt8], any Error>
        ) async throws {
            if sizeBytes == 13 { throw APIError.conflict("Not yet.") }
            if sizeBytes == 14 { throw APIError(status: 413, message: "Too large.") }
            var whole: [UInt8] = []
            for try await chunk in bytes {
                whole += chunk
                if whole.count >= Int(sizeBytes) { break }
            }
            let content = whole
            taken.withLock { $0[image] = content }
        }
    }

    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private struct Scene {
        let server: LinkServer
        let connection: LinkConnection
        let images: TakingImages
        let database: EmbeddedDatabase

        init() async throws {
            let now = SystemClock().now() / 1_000_000
            let authority = try CertificateAuthority.create(at: now)
            images = TakingImages()
            database = try await FleetFixture.database(with: node)
            let service = FleetSlice(
                core: FleetCore(clock: SystemClock(), logger: quiet), database: database, authority: authority,
                participants: FleetParticipants(
                    providers: [], consumers: [], observers: [], operationConsumers: [], images: images),
                explain: { _, _ in nil }
            ).link
            server = try await LinkServer.start(
                LinkServer.Configuration(host: "127.0.0.1", port: 0), authority: authority,
                certificate: authority.issueServerCertificate(names: ["127.0.0.1"], at: now), service: service,
                logger: quiet)
            let request = try CertificateRequest()
            let grant = try authority.issueNodeCertificate(request: request.der, node: node, at: now)
            let identity = try NodeIdentity(
                certificatePEM: grant.certificatePEM, privateKeyPEM: request.privateKeyPEM,
                authorityPEM: grant.authorityPEM)
            connection = try await LinkClient.connect(
                LinkEndpoint(host: "127.0.0.1", port: server.port), identity: identity,
                hello: AgentHello(
                    node: node, agentVersion: "1", position: PlanPosition(epoch: 1, revision: 0), bootID: "b",
                    capabilities: AgentCapabilities(
                        kinds: ResourceKind.allCases, operations: Operation.Kind.allCases)))
        }

        func insert(_ id: OperationID, _ action: Operation.Action, on node: NodeID) async throws {
            let operation = Operation(id: id, deadline: .max, action: action)
            let bytes = try operation.wireBytes
            try await database.write {
                try $0.execute(
                    "INSERT INTO operations (uuid, node, action, deadline) VALUES (?, ?, ?, ?)",
                    [id, node, bytes, operation.deadline])
            }
        }

        func upload(_ operation: OperationID, _ image: ImageID, size: Int64 = 4) async throws {
            try await connection.upload(ImageUpload(operation: operation, image: image, sizeBytes: size)) {
                try await $0.write([1, 2, 3, 4])
            }
        }
    }

    @Test("only the node that has the operation sends, only for the operation's image, and only while it has not ended")
    func whoMay() async throws {
        let scene = try await Scene()
        let other = OperationID(high: 2, low: 2)
        let reboot = OperationID(high: 2, low: 3)
        let server = ServerID(high: 4, low: 4)
        try await scene.insert(Self.operation, .snapshot(server, image: Self.image), on: Self.node)
        try await scene.insert(other, .snapshot(server, image: Self.image), on: NodeID(high: 1, low: 2))
        try await scene.insert(reboot, .hardReboot(server), on: Self.node)
        for (operation, image) in [
            (Self.operation, ImageID(high: 3, low: 4)), (other, Self.image), (reboot, Self.image),
            (OperationID(high: 9, low: 9), Self.image)
        ] {
            let refusal = await #expect(throws: LinkRefusal.self) { try await scene.upload(operation, image) }
            #expect(refusal?.code == .notFound)
        }
        #expect(scene.images.all.isEmpty)
        try await scene.upload(Self.operation, Self.image)
        #expect(scene.images.all == [Self.image: [1, 2, 3, 4]])
        try await scene.database.write { try $0.execute("DELETE FROM operations") }
        await #expect(throws: LinkRefusal.self) { try await scene.upload(Self.operation, Self.image) }
        scene.connection.close(.finished)
        await scene.server.stop(grace: .zero)
    }

    @Test("the agent hears whether to try again")
    func reasons() async throws {
        let scene = try await Scene()
        try await scene.insert(
            Self.operation, .snapshot(ServerID(high: 4, low: 4), image: Self.image), on: Self.node)
        for (size, code) in [(13 as Int64, LinkRefusal.Code.busy), (14, .malformed)] {
            let refusal = await #expect(throws: LinkRefusal.self) {
                try await scene.upload(Self.operation, Self.image, size: size)
            }
            #expect(refusal?.code == code)
        }
        scene.connection.close(.finished)
        await scene.server.stop(grace: .zero)
    }
}
