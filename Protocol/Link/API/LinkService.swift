import NIOCore
import ProtocolModel

/// What the coordinator decides about its agents' connections. Calls come concurrently, one set for each connection.
public protocol LinkService: Sendable {
    /// Whether a certificate is no longer good, though its time is not over. Asked before a Hello or a renewal is
    /// answered; for sessions that are open already use ``LinkConnection/close(_:)``.
    /// - Throws: ``LinkRefusal`` when it cannot be told now: the agent tries again later.
    func isRevoked(_ node: NodeID, serial: String) async throws -> Bool

    /// A host without certificate asks to become a node.
    /// - Throws: ``LinkRefusal``, whose message reaches the operator who runs `skerry-agent join`.
    func join(_ request: JoinRequest, from address: String) async throws -> NodeIdentityGrant

    /// A node asks for a fresh certificate.
    /// - Throws: ``LinkRefusal``.
    func renew(_ certificateRequestDER: [UInt8], for node: NodeID) async throws -> NodeIdentityGrant

    /// An agent says hello; its certificate is that of the node it names.
    /// - Throws: ``LinkRefusal``.
    func admit(_ hello: AgentHello, from address: String) async throws -> Admission

    /// Runs a session: read ``LinkConnection/messages`` until they end. When this returns the session is closed.
    func serve(_ connection: LinkConnection) async

    /// Writes the bytes a node asked for.
    /// - Throws: ``LinkRefusal`` for a reason the agent may see; anything else reaches it as an internal error.
    func sendImage(_ request: ImageStreamRequest, to node: NodeID, writer: LinkStreamWriter) async throws

    /// Takes the bytes in that a node sends as the data of an image, ``ImageUpload/sizeBytes`` of them; when this returns,
    /// the node hears that they are there for good.
    /// - Throws: As ``sendImage(_:to:writer:)``.
    func receiveImage(_ upload: ImageUpload, from node: NodeID, bytes: LinkByteStream) async throws

    /// Whom a token speaks for that a client showed the node.
    /// - Throws: ``LinkRefusal`` with `notFound` for a token that is none, or none any more.
    func verdict(on token: String, for node: NodeID) async throws -> TokenVerdict

    /// What an access key signs requests to the S3 API with.
    /// - Throws: ``LinkRefusal`` with `notFound` for a key that is none, or none any more.
    func signingKey(_ request: SigningKeyRequest, for node: NodeID) async throws -> SigningKey

    /// A certificate for what the node serves to clients of the cloud.
    /// - Returns: It, in PEM form.
    /// - Throws: ``LinkRefusal``.
    func serverCertificate(_ certificateRequestDER: [UInt8], for node: NodeID) async throws -> String

    /// A node has opened the console that an operation asked for; when this returns it is over.
    /// - Throws: ``LinkRefusal`` with `notFound` when nobody waits for it.
    func serveConsole(_ session: ConsoleID, of node: NodeID, _ console: LinkConsole) async throws
}

extension LinkService {
    public func verdict(on token: String, for node: NodeID) async throws -> TokenVerdict {
        throw LinkRefusal(.notFound, "The coordinator judges no tokens.")
    }

    public func signingKey(_ request: SigningKeyRequest, for node: NodeID) async throws -> SigningKey {
        throw LinkRefusal(.notFound, "The coordinator has no keys for signatures.")
    }

    public func serverCertificate(_ certificateRequestDER: [UInt8], for node: NodeID) async throws -> String {
        throw LinkRefusal(.notFound, "The coordinator issues no certificates for servers.")
    }

    public func serveConsole(_ session: ConsoleID, of node: NodeID, _ console: LinkConsole) async throws {
        throw LinkRefusal(.notFound, "The coordinator serves no consoles.")
    }
}

/// The yes to an ``AgentHello``.
public struct Admission: Hashable, Sendable {
    public var willSendSnapshot: Bool

    public init(willSendSnapshot: Bool) { self.willSendSnapshot = willSendSnapshot }
}

/// What a host says that wants to become a node.
public struct JoinRequest: Hashable, Sendable {
    /// ``JoinToken/secret``; compare by ``JoinToken/hash(ofSecret:)``.
    public var secret: [UInt8]
    public var certificateRequestDER: [UInt8]
    public var hostname: String

    public init(secret: [UInt8], certificateRequestDER: [UInt8], hostname: String) {
        self.secret = secret
        self.certificateRequestDER = certificateRequestDER
        self.hostname = hostname
    }
}

/// Which bytes an agent wants.
public struct ImageStreamRequest: Hashable, Sendable {
    public var image: ImageID
    /// 128 hexadecimal digits.
    public var sha512: String
    public var offset: Int64

    public init(image: ImageID, sha512: String, offset: Int64) {
        self.image = image
        self.sha512 = sha512
        self.offset = offset
    }
}

/// Which bytes an agent sends.
public struct ImageUpload: Hashable, Sendable {
    /// What made them.
    public var operation: OperationID
    public var image: ImageID
    public var sizeBytes: Int64

    public init(operation: OperationID, image: ImageID, sizeBytes: Int64) {
        self.operation = operation
        self.image = image
        self.sizeBytes = sizeBytes
    }
}

/// The writing end of a stream. For one task.
public struct LinkStreamWriter: Sendable {
    let connection: LinkConnection
    let stream: UInt32

    /// Waits until all of it is handed to the transport, which happens as fast as the reader takes it.
    /// - Throws: ``LinkError`` when the reader or the session is gone, `CancellationError`.
    public func write(_ bytes: [UInt8]) async throws {
        guard !bytes.isEmpty else { return }
        try await connection.write(stream: stream, ByteBuffer(bytes: bytes))
    }
}
