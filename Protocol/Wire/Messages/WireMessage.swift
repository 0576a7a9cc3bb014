import NIOCore
import ProtocolModel

/// One message as it stands in one frame. A plan may span several: see ``PlanAssembler``.
public enum WireMessage: Hashable, Sendable {
    case hello(Hello)
    case welcome(WelcomeMessage)
    case joinRequest(JoinRequestMessage)
    case joinResponse(GrantMessage)
    case renewRequest(certificateRequestDER: [UInt8])
    case renewResponse(GrantMessage)
    case refusal(WireRefusal)
    case goAway(GoAwayReason, message: String)
    case ping(UInt64)
    case pong(UInt64)
    case messageCredit(UInt32)
    case plan(PlanUpdate, continues: Bool)
    case planHeld(PlanPosition)
    case statuses([ResourceStatus])
    case report(NodeReport)
    case health(NodeHealth)
    case operation(Operation)
    case operationResult(OperationResult)
    case operationAcknowledged(OperationID)
    case streamOpen(stream: UInt32, StreamOpening)
    case streamData(stream: UInt32, ByteBuffer)
    case streamCredit(stream: UInt32, bytes: UInt32)
    case streamEnd(stream: UInt32, WireRefusal?)
}

/// The dialling side's introduction.
public struct Hello: Hashable, Sendable {
    public var versions: ProtocolVersions
    public var node: NodeID
    public var agentVersion: String
    public var position: PlanPosition
    public var bootID: String
    /// `nil` from an agent of the release before this could be said.
    public var capabilities: AgentCapabilities?

    public init(
        versions: ProtocolVersions = .supported, node: NodeID, agentVersion: String, position: PlanPosition,
        bootID: String, capabilities: AgentCapabilities? = nil
    ) {
        self.versions = versions
        self.node = node
        self.agentVersion = agentVersion
        self.position = position
        self.bootID = bootID
        self.capabilities = capabilities
    }
}

/// The answer to ``Hello``.
public struct WelcomeMessage: Hashable, Sendable {
    public var version: UInt32
    public var keepAliveMilliseconds: UInt32
    /// Microseconds since 1970-01-01T00:00:00Z.
    public var serverTime: Int64
    public var willSendSnapshot: Bool
    /// Empty from a coordinator of the release before this was said.
    public var coordinatorVersion: String

    public init(
        version: UInt32, keepAliveMilliseconds: UInt32, serverTime: Int64, willSendSnapshot: Bool,
        coordinatorVersion: String = ""
    ) {
        self.version = version
        self.keepAliveMilliseconds = keepAliveMilliseconds
        self.serverTime = serverTime
        self.willSendSnapshot = willSendSnapshot
        self.coordinatorVersion = coordinatorVersion
    }
}

/// The one thing that a host without a certificate may say.
public struct JoinRequestMessage: Hashable, Sendable {
    public var versions: ProtocolVersions
    public var secret: [UInt8]
    public var certificateRequestDER: [UInt8]
    public var hostname: String

    public init(
        versions: ProtocolVersions = .supported, secret: [UInt8], certificateRequestDER: [UInt8], hostname: String
    ) {
        self.versions = versions
        self.secret = secret
        self.certificateRequestDER = certificateRequestDER
        self.hostname = hostname
    }
}

/// A certificate for a node.
public struct GrantMessage: Hashable, Sendable {
    public var node: NodeID
    public var certificatePEM: String
    public var authorityPEM: String

    public init(node: NodeID, certificatePEM: String, authorityPEM: String) {
        self.node = node
        self.certificatePEM = certificatePEM
        self.authorityPEM = authorityPEM
    }
}

/// A no, with its reason.
public struct WireRefusal: Hashable, Sendable {
    public enum Code: String, Hashable, Sendable, CaseIterable {
        case unauthorized, revoked, notFound, unavailable, versionMismatch, malformed, internalError, wrongNode, busy
    }

    public var code: Code
    public var message: String

    public init(code: Code, message: String) {
        self.code = code
        self.message = message
    }
}

/// Why a side closes a session.
public enum GoAwayReason: String, Hashable, Sendable, CaseIterable {
    case shuttingDown, replaced, revoked, protocolError, peerSilent, finished
}

/// A request for a stream of bytes.
public struct StreamOpening: Hashable, Sendable {
    public enum Source: Hashable, Sendable {
        /// The stored bytes of an image, from `offset` to their end; `sha512` as 128 hexadecimal digits.
        case image(ImageID, sha512: String, offset: Int64)
        /// Whom a token speaks for, as a ``TokenVerdict``. The text is a secret.
        case token(String)
        /// A certificate for what the node serves, in PEM form; asked for with a PKCS #10 request in DER form.
        case serverCertificate([UInt8])
        /// What an access key signs requests to the S3 API with, as a ``SigningKey``.
        case signing(SigningKeyRequest)
        /// The other way: `size` octets that an operation made become the data of an image.
        case upload(OperationID, image: ImageID, size: Int64)
        /// Both ways: what a guest's console says and hears, for an operation that asked for it.
        case console(ConsoleID)
        /// Of a newer release: to be refused, not to be stumbled over.
        case unknown

        /// Whether the side that opens the stream sends.
        public var isSent: Bool {
            switch self {
            case .upload, .console: true
            case .image, .token, .serverCertificate, .signing, .unknown: false
            }
        }

        /// Whether the side that opens the stream reads.
        public var isRead: Bool { if case .upload = self { false } else { true } }
    }

    public var initialCredit: UInt32
    public var source: Source

    public init(initialCredit: UInt32, source: Source) {
        self.initialCredit = initialCredit
        self.source = source
    }
}

/// The versions of the protocol that one side speaks.
public struct ProtocolVersions: Hashable, Sendable {
    public var oldest: UInt32
    public var newest: UInt32

    public init(oldest: UInt32, newest: UInt32) {
        self.oldest = oldest
        self.newest = newest
    }

    /// What this release speaks.
    public static let supported = Self(oldest: 1, newest: 1)

    /// The newest version both sides speak; `nil` when there is none or a range is empty.
    public func common(with other: Self) -> UInt32? {
        guard oldest <= newest, other.oldest <= other.newest else { return nil }
        let best = min(newest, other.newest)
        return best >= max(oldest, other.oldest) ? best : nil
    }
}
