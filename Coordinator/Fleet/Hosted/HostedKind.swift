import CoordinatorPlatform
import ProtocolModel

/// One kind of resource that hosts make real, as ``HostedWorkflow`` sees it: where its rows are, and what is its own.
public protocol HostedKind: Sendable {
    associatedtype Record: HostedRecord
    typealias State = Record.State

    var kind: ResourceKind { get }
    var words: HostedWords { get }
    /// Hosts that building one is tried on before it becomes ERROR.
    var buildAttempts: Int { get }

    // MARK: Rows

    func find(_ id: AnyID, in reader: any SQLReader) throws -> Record?
    /// Writes what can change, unless someone changed it since it was read.
    /// - Throws: `StoreError.stale` then.
    func save(_ record: inout Record, at now: Int64, in transaction: any SQLTransaction) throws
    /// Those whose task is overdue, the longest overdue first; a bounded number.
    func overdue(at now: Int64, in reader: any SQLReader) throws -> [Record]
    /// The same beyond the first so many, rows that cannot be read among them: these keep nobody else from a way out.
    func overdue(at now: Int64, skipping skipped: Int, in reader: any SQLReader) throws -> ReadableRows<Record>
    /// Everything on a node, also what owners no longer see but the node has not confirmed gone.
    func on(_ node: NodeID, in reader: any SQLReader) throws -> [Record]
    /// Removes the rows of what was deleted before and is gone from its host; a bounded number.
    /// - Returns: Whose.
    func removeRows(deletedBefore time: Int64, in transaction: any SQLTransaction) throws -> [AnyID]

    // MARK: What is the kind's own

    /// What a status says of it.
    func sight(_ details: ResourceStatus.Details) -> State.Sight?
    /// Which resource an operation is about; `nil` when it is none of this kind, or its end is nobody's business.
    func subject(of action: Operation.Action) -> AnyID?
    /// Sets what the plan asks for to what the state lasts as.
    func aim(_ record: inout Record)
    /// Gives back what it holds in other slices: addresses, claims.
    func release(_ record: Record, at now: Int64, in transaction: any SQLTransaction) throws
    /// Whether another host may be tried.
    func mayMove(_ record: Record) -> Bool
    /// Chooses another host than those excluded and begins to build there (``HostedWorkflow/occupy(_:task:at:in:)``).
    /// - Returns: Why no host fits; `nil` when one was taken.
    func rehost(_ record: inout Record, at now: Int64, in transaction: any SQLTransaction) throws -> String?
    /// What is told of a change that nobody asked for.
    func news(of record: Record) -> HostedNews
    /// Begins the next step of a task of several.
    func advance(_ record: inout Record, at now: Int64, in transaction: any SQLTransaction) throws
    /// A task is over, and the record has the state that came of it: what was held elsewhere for it is given back or
    /// becomes lasting. Where the state is what it was before, the plan follows after this.
    func ended(
        _ task: State.Task, _ outcome: HostedOutcome, of record: inout Record, at now: Int64,
        in transaction: any SQLTransaction
    ) throws
    /// A host that the record is not on (any more) has nothing of it left.
    func left(_ record: Record, _ node: NodeID, at now: Int64, in transaction: any SQLTransaction) throws
}

extension HostedKind {
    public func overdue(
        at now: Int64, skipping skipped: Int, in reader: any SQLReader
    ) throws -> ReadableRows<Record> {
        guard skipped == 0 else { return ReadableRows(count: 0) }
        let records = try overdue(at: now, in: reader)
        return ReadableRows(records, count: records.count)
    }
    public func subject(of action: Operation.Action) -> AnyID? { nil }
    public func aim(_ record: inout Record) {}
    public func mayMove(_ record: Record) -> Bool { true }
    public func news(of record: Record) -> HostedNews {
        HostedNews(action: "follow", event: "changed_on_host", details: "It changed on its host.")
    }
    public func advance(_ record: inout Record, at now: Int64, in transaction: any SQLTransaction) throws {}
    public func ended(
        _ task: State.Task, _ outcome: HostedOutcome, of record: inout Record, at now: Int64,
        in transaction: any SQLTransaction
    ) throws {}
    public func left(_ record: Record, _ node: NodeID, at now: Int64, in transaction: any SQLTransaction) throws {}
}

/// What came of a task.
public enum HostedOutcome: Sendable, Hashable {
    case completed
    /// It came to nothing, and the resource is what it was.
    case reverted
    /// It came to nothing, and the resource is in ERROR.
    case failed
}

/// A change that came from the host.
public struct HostedNews: Sendable, Hashable {
    public var action: String
    public var event: String
    /// For the tenant.
    public var details: String

    public init(action: String, event: String, details: String) {
        self.action = action
        self.event = event
        self.details = details
    }
}

/// What tenants are told.
public struct HostedWords: Sendable, Hashable {
    /// What the service calls one: `instance`.
    public var noun: String
    /// What to do when the host is gone for good.
    public var hostRemoved: String
    public var operationExpired: String
    public var operationInterrupted: String

    public init(
        noun: String, hostRemoved: String, operationExpired: String = "The host did not get to it in time. Try again.",
        operationInterrupted: String = "The host was interrupted while it worked on it. Try again."
    ) {
        self.noun = noun
        self.hostRemoved = hostRemoved
        self.operationExpired = operationExpired
        self.operationInterrupted = operationInterrupted
    }
}
