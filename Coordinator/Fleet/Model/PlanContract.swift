import CoordinatorPlatform
import ProtocolModel

/// How slices write nodes' plans. An entry holds no copy of the spec: it is computed from the slice's rows when it is
/// sent (``PlanSpecProvider``), so there is one truth and a change is one small write.
public protocol PlanWriter: Sendable {
    /// Puts the resource on the node's plan, or marks it changed there. Returns the entry's new generation.
    @discardableResult
    func put(_ key: ResourceKey, on node: NodeID, in transaction: any SQLTransaction) throws -> Int64
    /// Asks the node to remove the resource; ``PlanStatusConsumer`` hears of it as `gone`.
    @discardableResult
    func remove(_ key: ResourceKey, from node: NodeID, in transaction: any SQLTransaction) throws -> Int64
    /// Marks the resource changed on every node that is to have it: where those are many, soon after the transaction.
    func touch(_ key: ResourceKey, in transaction: any SQLTransaction) throws
    /// The nodes whose plan wants the resource (removals not counted).
    func nodes(holding key: ResourceKey, in reader: any SQLReader) throws -> [NodeID]
    /// Whether the node was asked to remove the resource and has not said that nothing of it is left.
    func isLeaving(_ key: ResourceKey, _ node: NodeID, in reader: any SQLReader) throws -> Bool
}

extension PlanWriter {
    public func isLeaving(_ key: ResourceKey, _ node: NodeID, in reader: any SQLReader) throws -> Bool { false }
}

/// Gives the specs of one kind. One per kind, registered with the fleet at start.
public protocol PlanSpecProvider: Sendable {
    var kind: ResourceKind { get }
    /// What is missing in the answer is sent as a removal.
    func specs(of ids: [AnyID], on node: NodeID, in reader: any SQLReader) throws -> [AnyID: ResourceSpec]
    /// Whether anything of the kind that the node shall have is made from the image with these bytes. A host is given no
    /// others: it could keep what projects that have nothing on it keep to themselves.
    /// - Parameter sha512: as in ``ProtocolModel/ImageSpec``.
    func needsImage(_ sha512: String, on node: NodeID, in reader: any SQLReader) throws -> Bool
}

extension PlanSpecProvider {
    /// Most kinds are made from no image.
    public func needsImage(_ sha512: String, on node: NodeID, in reader: any SQLReader) throws -> Bool { false }
}

/// Hears what agents report. One per kind; all statuses of one message are consumed in one transaction, each in a part
/// of its own: what ``consume(_:from:at:in:)`` throws undoes that status alone, and it is not heard again before the
/// agent's next session.
public protocol PlanStatusConsumer: Sendable {
    var kind: ResourceKind { get }
    /// Called only for the entry's current generation or an older one still in force; `gone` only once the entry asked
    /// for removal, and the entry itself is deleted in the same transaction.
    func consume(_ status: ResourceStatus, from node: NodeID, at now: Int64, in transaction: any SQLTransaction) throws
}

/// For a kind that has no status of its own: what goes wrong with it is said by what stands on it.
public struct SilentStatuses: PlanStatusConsumer {
    public let kind: ResourceKind

    public init(kind: ResourceKind) { self.kind = kind }

    public func consume(
        _ status: ResourceStatus, from node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws {}
}

/// Operations on nodes.
public protocol OperationDispatcher: Sendable {
    /// Durable: survives a restart of either side, ends with exactly one call of ``OperationConsumer``, at the latest
    /// some seconds after `deadline` (microseconds since 1970).
    func submit(_ action: Operation.Action, on node: NodeID, deadline: Int64, in transaction: any SQLTransaction) throws
        -> OperationID
    /// For reads such as console output: asks now and waits.
    /// - Throws: ``FleetError/nodeAway(_:)`` when the node has no session, ``FleetError/timedOut(_:)``.
    func ask(_ action: Operation.Action, on node: NodeID, within: Duration) async throws -> OperationResult
}

/// Hears how durable operations ended. One per kind of resource that something can be done to.
public protocol OperationConsumer: Sendable {
    /// Of ``ProtocolModel/Operation/Action/resource``.
    var kind: ResourceKind { get }
    func operationEnded(
        _ result: OperationResult, action: Operation.Action, from node: NodeID, at now: Int64,
        in transaction: any SQLTransaction) throws
}

/// Hears about nodes themselves (placement does, for inventories).
public protocol NodeObserver: Sendable {
    /// A first or changed report.
    func nodeReported(_ report: NodeReport, by node: NodeID, at now: Int64, in transaction: any SQLTransaction) throws
    func nodeHealthChanged(_ health: HealthVerdict, of node: NodeID, at now: Int64, in transaction: any SQLTransaction)
        throws
    /// The operator took the node out of the cloud for good.
    func nodeRemoved(_ node: NodeID, at now: Int64, in transaction: any SQLTransaction) throws
}

/// What the coordinator thinks of a node, with hysteresis.
public enum HealthVerdict: String, Sendable, Hashable {
    case up, suspect, down
}

public enum FleetError: Error, Sendable, Equatable {
    case nodeAway(String)
    case timedOut(String)
    case unknownNode(String)
    /// What a host would have to be told of a resource is more than can be sent; the text says how much.
    case entryTooLarge(String)
}

/// A host as the operator sees it.
public struct Node: Sendable, Hashable {
    public var id: NodeID
    /// In order of insertion, 1 and up: the compute API's integer ids of hypervisors and services.
    public var number: Int
    public var hostname: String
    public var health: HealthVerdict
    /// `false` after `os-services` disable: it keeps what it has and gets nothing new.
    public var isEnabled: Bool
    public var disabledReason: String?
    public var report: NodeReport?
    /// The last sign of life, microseconds since 1970.
    public var lastSeen: Int64
    public var lastHealth: NodeHealth?

    public init(
        id: NodeID, number: Int, hostname: String, health: HealthVerdict, isEnabled: Bool, disabledReason: String?,
        report: NodeReport?, lastSeen: Int64, lastHealth: NodeHealth?
    ) {
        self.id = id
        self.number = number
        self.hostname = hostname
        self.health = health
        self.isEnabled = isEnabled
        self.disabledReason = disabledReason
        self.report = report
        self.lastSeen = lastSeen
        self.lastHealth = lastHealth
    }
}

/// Nodes, for slices that show them (hypervisors, services, agents, availability zones).
public protocol NodeDirectory: Sendable {
    func nodes(in reader: any SQLReader) throws -> [Node]
    func node(_ id: NodeID, in reader: any SQLReader) throws -> Node?
    /// Nodes whose agents keep entries of the kind, as far as the last session said.
    func nodes(knowing kind: ResourceKind, in reader: any SQLReader) throws -> Set<NodeID>
    func setEnabled(
        _ enabled: Bool, reason: String?, node: NodeID, at now: Int64, in transaction: any SQLTransaction
    ) throws
    /// Whether something that the node (or, without one, any) has not said by the deadline is to be taken for not said:
    /// after a time in which this coordinator was away, and when the node has just come back, it is heard first.
    func isDue(_ deadline: Int64, of node: NodeID?, at now: Int64) -> Bool
}

extension NodeDirectory {
    public func isDue(_ deadline: Int64, of node: NodeID?, at now: Int64) -> Bool { now >= deadline }
}

extension NodeDirectory {
    /// A directory that keeps nothing of what agents know takes them all for this release's.
    public func nodes(knowing kind: ResourceKind, in reader: any SQLReader) throws -> Set<NodeID> {
        Set(try nodes(in: reader).map(\.id))
    }
}

/// The feeds of changes that the fleet writes.
public enum FleetFeed {
    /// A node joined, reported something new, was judged anew, enabled, disabled or removed; the key is its id.
    public static let nodes = "fleet.nodes"
}

/// Where agents' image streams come from, and where they go to; the image slice implements it.
public protocol ImageBlobSource: Sendable {
    /// The bytes of an image from `offset` on, in chunks of at most 64 KiB, pulled as fast as the caller takes them.
    /// - Throws: `Refusal` or a store error when the image or its blob is not there.
    func read(image: ImageID, sha512: String, from offset: Int64) async throws -> AsyncThrowingStream<
        [UInt8], any Error
    >
    /// Takes in what an agent made for an image that waits for its data, pulled as fast as it can be written, checks it as
    /// an upload by a user, and makes the image active. Cut off, or refused, it leaves the image waiting.
    /// - Parameter sizeBytes: How many bytes there are; fewer pass for a cut.
    /// - Throws: `APIError` for a reason the agent may see.
    func receive(
        image: ImageID, sizeBytes: Int64, from bytes: AsyncThrowingStream<[UInt8], any Error>
    ) async throws
}
