import Glibc
import Logging
import NIOConcurrencyHelpers
import NIOCore
import ProtocolLink
import ProtocolModel
import TestsSupportRandomness

/// 2027-01-15 and the seconds of that day: what certificates are made at where the test controls the time.
let someTime: Int64 = 1_800_000_000

func systemSeconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec)
}

func identity(
    _ authority: CertificateAuthority, node: NodeID = .fresh(), at now: Int64 = systemSeconds(), days: Int = 30
) throws -> NodeIdentity {
    let request = try CertificateRequest()
    let grant = try authority.issueNodeCertificate(request: request.der, node: node, at: now, days: days)
    return try NodeIdentity(
        certificatePEM: grant.certificatePEM, privateKeyPEM: request.privateKeyPEM, authorityPEM: grant.authorityPEM)
}

func hello(_ node: NodeID) -> AgentHello {
    AgentHello(node: node, agentVersion: "1.0.0", position: PlanPosition(epoch: 3, revision: 14), bootID: "boot")
}

/// A coordinator for tests: keeps what it hears and answers as told.
final class FakeService: LinkService {
    struct State {
        var revoked: Set<String> = []
        var secret: [UInt8] = []
        var received: [LinkMessage] = []
        var connections: [LinkConnection] = []
        var ended = 0
        var chunksSent = 0
        var uploads: [ImageID: [UInt8]] = [:]
    }

    let authority: CertificateAuthority
    let state = NIOLockedValueBox(State())
    /// What is sent to each agent when its session opens.
    let greeting: [LinkMessage]
    let image: [UInt8]
    /// Whether messages are read at all.
    let reads: Bool

    init(_ authority: CertificateAuthority, greeting: [LinkMessage] = [], image: [UInt8] = [], reads: Bool = true) {
        self.authority = authority
        self.greeting = greeting
        self.image = image
        self.reads = reads
    }

    func isRevoked(_ node: NodeID, serial: String) async -> Bool {
        state.withLockedValue { $0.revoked.contains(serial) }
    }

    func join(_ request: JoinRequest, from address: String) async throws -> NodeIdentityGrant {
        guard request.secret == state.withLockedValue({ $0.secret }) else {
            throw LinkRefusal(.unauthorized, "The token was used before or has ended: make a new one.")
        }
        return try authority.issueNodeCertificate(
            request: request.certificateRequestDER, node: .fresh(), at: systemSeconds())
    }

    func renew(_ certificateRequestDER: [UInt8], for node: NodeID) async throws -> NodeIdentityGrant {
        try authority.issueNodeCertificate(request: certificateRequestDER, node: node, at: systemSeconds())
    }

    func admit(_ hello: AgentHello, from address: String) async throws -> Admission {
        if hello.agentVersion == "unwanted" { throw LinkRefusal(.unavailable, "Not today.") }
        return Admission(willSendSnapshot: hello.position == .none)
    }

    func serve(_ connection: LinkConnection) async {
        state.withLockedValue { $0.connections.append(connection) }
        do {
            for message in greeting { try await connection.send(message) }
            if reads {
                for try await message in connection.messages { state.withLockedValue { $0.received.append(message) } }
            } else {
                await connection.waitUntilClosed()
            }
        } catch {
            // How a session ended is for the test to see at the other end.
        }
        state.withLockedValue { $0.ended += 1 }
    }

    func sendImage(_ request: ImageStreamRequest, to node: NodeID, writer: LinkStreamWriter) async throws {
        guard request.offset <= image.count else { throw LinkRefusal(.notFound, "The image has no such offset.") }
        var rest = image[Int(request.offset)...]
        while !rest.isEmpty {
            try await writer.write(Array(rest.prefix(100_000)))
            state.withLockedValue { $0.chunksSent += 1 }
            rest = rest.dropFirst(100_000)
        }
    }

    func receiveImage(_ upload: ImageUpload, from node: NodeID, bytes: LinkByteStream) async throws {
        var taken: [UInt8] = []
        for try await chunk in bytes {
            taken += chunk
            if upload.sizeBytes > 1_000_000, taken.count > 700_000, upload.image == Self.unwanted {
                throw LinkRefusal(.malformed, "That is no image.")
            }
            if taken.count >= Int(upload.sizeBytes) { break }
        }
        guard taken.count == Int(upload.sizeBytes) else { throw LinkRefusal(.malformed, "Cut off.") }
        let whole = taken
        state.withLockedValue { $0.uploads[upload.image] = whole }
    }

    /// An image that is turned down half-way.
    static let unwanted = ImageID(high: 6, low: 6)
    var uploads: [ImageID: [UInt8]] { state.withLockedValue { $0.uploads } }

    func verdict(on token: String, for node: NodeID) async throws -> TokenVerdict {
        guard token == Self.verdict.userName else { throw LinkRefusal(.notFound, "No such token.") }
        return Self.verdict
    }

    func signingKey(_ request: SigningKeyRequest, for node: NodeID) async throws -> SigningKey {
        guard request.access == Self.signing.holder.userName else { throw LinkRefusal(.notFound, "No such key.") }
        return Self.signing
    }

    static let signing = SigningKey(holder: verdict, key: Array(repeating: 7, count: 32))

    func serverCertificate(_ certificateRequestDER: [UInt8], for node: NodeID) async throws -> String {
        try authority.issueNodeServerCertificate(
            request: certificateRequestDER, names: ["objects.example", "192.0.2.1"], at: 1_700_000_000)
    }

    /// Says everything back, until it is told to stop.
    func serveConsole(_ session: ConsoleID, of node: NodeID, _ console: LinkConsole) async throws {
        guard session != Self.unknownConsole else { throw LinkRefusal(.notFound, "Nobody waits for it.") }
        while let bytes = try await console.read() {
            try await console.write(bytes)
            if bytes.last == 0 { return }
        }
    }

    static let unknownConsole = ConsoleID(high: 7, low: 7)

    static let verdict = TokenVerdict(
        user: UserID(high: 1, low: 2), userName: "somebody", userDomain: "default", project: ProjectID(high: 3, low: 4),
        projectName: "project", projectDomain: "default", roles: ["member", "reader"], expiresAt: 1_800_000_000_000_000)

    var received: [LinkMessage] { state.withLockedValue { $0.received } }
}

/// A coordinator's end on a loopback port.
struct Loopback {
    let authority: CertificateAuthority
    let service: FakeService
    let server: LinkServer

    init(
        greeting: [LinkMessage] = [], image: [UInt8] = [], reads: Bool = true, keepAlive: Duration = .seconds(5)
    ) async throws {
        authority = try CertificateAuthority.create(at: systemSeconds())
        service = FakeService(authority, greeting: greeting, image: image, reads: reads)
        server = try await LinkServer.start(
            LinkServer.Configuration(host: "127.0.0.1", port: 0, keepAlive: keepAlive), authority: authority,
            certificate: authority.issueServerCertificate(names: ["127.0.0.1"], at: systemSeconds()), service: service,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
    }

    var endpoint: LinkEndpoint { LinkEndpoint(host: "127.0.0.1", port: server.port) }

    func connect(_ identity: NodeIdentity? = nil) async throws -> LinkConnection {
        let identity = try identity ?? ProtocolLinkTests.identity(authority)
        return try await LinkClient.connect(endpoint, identity: identity, hello: hello(identity.node))
    }
}

/// Waits until `condition` holds, half a minute at most.
func eventually(_ condition: () -> Bool) async throws -> Bool {
    for _ in 0..<3000 {
        if condition() { return true }
        try await Task.sleep(for: .milliseconds(10))
    }
    return condition()
}
