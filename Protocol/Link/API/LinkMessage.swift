import NIOCore
import ProtocolModel
import ProtocolWire

/// What the two daemons tell each other on an open session.
public enum LinkMessage: Hashable, Sendable {
    // Coordinator to agent.
    /// Of any size: it is cut into frames and put together again inside the link.
    case plan(PlanUpdate)
    case operation(Operation)
    case operationAcknowledged(OperationID)
    // Agent to coordinator.
    /// Sent after each plan update, taken in or not: the position that is now on disk.
    case planHeld(PlanPosition)
    /// A large batch arrives as several messages.
    case statuses([ResourceStatus])
    case report(NodeReport)
    case health(NodeHealth)
    case result(OperationResult)

    /// The frames that carry it, to be sent one after the other.
    func frames() throws(WireError) -> [Frame] {
        switch self {
        case .plan(let update): try MessageDivision.frames(of: update)
        case .operation(let operation): [try WireMessage.operation(operation).frame()]
        case .operationAcknowledged(let id): [try WireMessage.operationAcknowledged(id).frame()]
        case .planHeld(let position): [try WireMessage.planHeld(position).frame()]
        case .statuses(let statuses): try MessageDivision.frames(of: statuses)
        case .report(let report): [try WireMessage.report(report).frame()]
        case .health(let health): [try WireMessage.health(health).frame()]
        case .result(let result): [try WireMessage.operationResult(result).frame()]
        }
    }
}

/// What an agent says of itself when a session opens.
public struct AgentHello: Hashable, Sendable {
    public var node: NodeID
    public var agentVersion: String
    /// The plan it holds.
    public var position: PlanPosition
    /// `/proc/sys/kernel/random/boot_id`.
    public var bootID: String
    /// `nil` from an agent of the release before this could be said.
    public var capabilities: AgentCapabilities?

    public init(
        node: NodeID, agentVersion: String, position: PlanPosition, bootID: String,
        capabilities: AgentCapabilities? = nil
    ) {
        self.node = node
        self.agentVersion = agentVersion
        self.position = position
        self.bootID = bootID
        self.capabilities = capabilities
    }

    init(_ hello: Hello) {
        self.init(
            node: hello.node, agentVersion: hello.agentVersion, position: hello.position, bootID: hello.bootID,
            capabilities: hello.capabilities)
    }

    var wire: Hello {
        Hello(
            node: node, agentVersion: agentVersion, position: position, bootID: bootID, capabilities: capabilities)
    }
}

/// What the coordinator answered.
public struct Welcome: Hashable, Sendable {
    /// The protocol version both speak.
    public var version: Int
    public var keepAlive: Duration
    /// Microseconds since 1970-01-01T00:00:00Z on the coordinator's clock.
    public var serverTime: Int64
    /// Whether the first plan update will be a whole plan.
    public var willSendSnapshot: Bool
    /// Empty from a coordinator of the release before this was said.
    public var coordinatorVersion: String

    public init(
        version: Int, keepAlive: Duration, serverTime: Int64, willSendSnapshot: Bool, coordinatorVersion: String = ""
    ) {
        self.version = version
        self.keepAlive = keepAlive
        self.serverTime = serverTime
        self.willSendSnapshot = willSendSnapshot
        self.coordinatorVersion = coordinatorVersion
    }

    init(_ message: WelcomeMessage) {
        self.init(
            version: Int(message.version), keepAlive: .milliseconds(Int64(message.keepAliveMilliseconds)),
            serverTime: message.serverTime, willSendSnapshot: message.willSendSnapshot,
            coordinatorVersion: message.coordinatorVersion)
    }
}

/// Who is at the other end.
public enum LinkPeer: Hashable, Sendable, CustomStringConvertible {
    /// An agent, by its certificate.
    case node(NodeID, serial: String)
    /// The coordinator, by the pinned authority.
    case coordinator

    public var description: String {
        switch self {
        case .node(let node, _): "node \(node)"
        case .coordinator: "coordinator"
        }
    }
}

/// Why a side closes a session.
public typealias LinkCloseReason = GoAwayReason

/// How a session ended.
public struct LinkClosure: Hashable, Sendable {
    /// What the side that closed it said; `nil` when the connection broke without a word.
    public var reason: LinkCloseReason?
    public var isByPeer: Bool
    public var detail: String

    public init(reason: LinkCloseReason?, isByPeer: Bool, detail: String) {
        self.reason = reason
        self.isByPeer = isByPeer
        self.detail = detail
    }
}
