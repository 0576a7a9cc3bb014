import CoordinatorFleet
import CoordinatorPlatform
import ProtocolModel
import Synchronization

/// A resource of the tests' own that hosts make real: it shows that nothing of ``HostedWorkflow`` is a server's.
struct Volume: HostedRecord {
    enum Status: String, SQLWord { case creating, available, error, deleted }

    enum Task: String, HostedTask, SQLWord, CaseIterable {
        case creating, extending, retyping, deleting

        var allowedSeconds: Int64 { self == .creating ? 60 : 30 }
        var purpose: HostedPurpose {
            switch self {
            case .creating: .building
            case .extending: .changing
            case .retyping: .operating
            case .deleting: .deleting
            }
        }
    }

    struct State: HostedState {
        var status = Status.creating
        var task: Task? = .creating
        /// What the host has, GiB; 0 where it has nothing.
        var sizeGiB = 0

        var isFailed: Bool { status == .error }
        var failed: Self { ended(.error) }
        var deleted: Self { ended(.deleted) }
        var offHost: Self { Self(status: status, task: task, sizeGiB: 0) }

        func seeing(_ sizeGiB: Int?, _ phase: ResourceStatus.Phase) -> Self {
            Self(status: status, task: task, sizeGiB: sizeGiB ?? self.sizeGiB)
        }

        func settled(_ sizeGiB: Int?) -> HostedDecision<Self> {
            let next = seeing(sizeGiB, .ready)
            switch task {
            case .creating, .extending: return .completed(next.ended(.available))
            case .retyping, .deleting: return HostedLifecycle.moved(next, from: self)
            case nil: return next == self ? .nothing : .followed(next)
            }
        }

        private func ended(_ status: Status) -> Self { Self(status: status, task: nil, sizeGiB: sizeGiB) }
    }

    var number: Int64 = 0
    var id: AnyID
    var generation: Int64 = 1
    var project = ProjectID(high: 1, low: 1)
    var user = UserID(high: 2, low: 2)
    var wantedGiB = 10
    var state = State()
    var taskDeadline: Int64?
    var host: HostPlace?
    var planGeneration: Int64 = 0
    var fault: HostedFault?
    var actionID: Int64?
    var operation: OperationID?
    var attempts = 0
    var excluded: [NodeID: String] = [:]
    var deletedAt: Int64?
    var updatedAt: Int64 = 0
    var availableAt: Int64?

    /// Plans know no volumes yet: another kind's number stands in.
    var key: ResourceKey { ResourceKey(kind: .network, id: id) }

    mutating func completed(at now: Int64) { availableAt = availableAt ?? now }
}

extension Volume: TableRecord {
    static let table = RecordTable<Self>("test_volumes")
    static let blank = Self(id: AnyID(high: 0, low: 0))
    static let schema = """
        CREATE TABLE test_volumes (
            id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, generation BIGINT NOT NULL, project_id TEXT NOT NULL,
            user_id TEXT NOT NULL, wanted_gib INTEGER NOT NULL, status TEXT NOT NULL, task TEXT,
            size_gib INTEGER NOT NULL, task_deadline BIGINT, node_id TEXT, host TEXT, zone TEXT,
            plan_generation BIGINT NOT NULL, attempts INTEGER NOT NULL, excluded TEXT NOT NULL, action_id BIGINT,
            operation_id TEXT, deleted_at BIGINT, fault_code INTEGER, fault_message TEXT, fault_details TEXT,
            fault_at BIGINT, updated_at BIGINT NOT NULL, available_at BIGINT)
        """

    mutating func columns(_ column: inout some ColumnVisitor) throws {
        try column("id", &number, .number)
        try column("uuid", &id, .key)
        try column("generation", &generation, .generation)
        try column("project_id", &project, .fixed)
        try column("user_id", &user, .fixed)
        try column("wanted_gib", &wantedGiB)
        try column("status", &state.status)
        try column("task", &state.task)
        try column("size_gib", &state.sizeGiB)
        try hostedColumns(&column)
        try column("updated_at", &updatedAt)
        try column("available_at", &availableAt)
    }
}

/// Volumes as the workflow sees them, on hosts that are tried in their order.
final class VolumeKind: HostedKind {
    typealias Record = Volume

    let kind = ResourceKind.network
    let words = HostedWords(noun: "volume", hostRemoved: "The volume's host is gone.")
    let buildAttempts: Int
    let hosts: [HostPlace]
    let plans: any PlanWriter
    let released = Mutex<[AnyID]>([])
    /// That which cannot be written.
    let poisoned = Mutex<AnyID?>(nil)

    init(hosts: [HostPlace], plans: any PlanWriter, buildAttempts: Int = 3) {
        self.hosts = hosts
        self.plans = plans
        self.buildAttempts = buildAttempts
    }

    func find(_ id: AnyID, in reader: any SQLReader) throws -> Volume? { try Volume.table.find(id, in: reader) }

    func save(_ volume: inout Volume, at now: Int64, in transaction: any SQLTransaction) throws {
        if poisoned.withLock({ $0 == volume.id }) { throw StoreError.corrupt("a poisoned row") }
        volume.updatedAt = now
        try Volume.table.update(volume, in: transaction)
        volume.generation += 1
    }

    func overdue(at now: Int64, in reader: any SQLReader) throws -> [Volume] {
        try Volume.table.all(where: SQLCondition("task_deadline <= ?", [now]), limit: 10, in: reader)
    }

    func overdue(at now: Int64, skipping skipped: Int, in reader: any SQLReader) throws -> ReadableRows<Volume> {
        try Volume.table.readable(
            where: SQLCondition("task_deadline <= ?", [now]), order: "task_deadline, id", limit: 10,
            skipping: skipped, in: reader)
    }

    func on(_ node: NodeID, in reader: any SQLReader) throws -> [Volume] {
        try Volume.table.all(where: .equal("node_id", node), in: reader)
    }

    func removeRows(deletedBefore time: Int64, in transaction: any SQLTransaction) throws -> [AnyID] {
        let gone = SQLCondition("deleted_at < ? AND node_id IS NULL", [time])
        let ids = try Volume.table.all(where: gone, in: transaction).map(\.id)
        try Volume.table.delete(where: .in("uuid", ids), in: transaction)
        return ids
    }

    /// There is no status of volumes yet: the domain's name holds the size.
    func sight(_ details: ResourceStatus.Details) -> Int? {
        guard case .server(let details) = details else { return nil }
        return Int(details.domainName)
    }

    func subject(of action: Operation.Action) -> AnyID? {
        guard case .hardReboot(let id) = action else { return nil }
        return id.cast()
    }

    func aim(_ volume: inout Volume) { volume.wantedGiB = volume.state.sizeGiB }

    func release(_ volume: Volume, at now: Int64, in transaction: any SQLTransaction) throws {
        released.withLock { $0.append(volume.id) }
    }

    func rehost(_ volume: inout Volume, at now: Int64, in transaction: any SQLTransaction) throws -> String? {
        guard let host = hosts.first(where: { volume.excluded[$0.node] == nil }) else { return "all were tried" }
        volume.host = host
        try HostedWorkflow(self, plans: plans).occupy(&volume, task: .creating, at: now, in: transaction)
        return nil
    }
}

/// Plans in memory.
final class MemoryPlans: PlanWriter {
    struct Entry: Hashable {
        var node: NodeID
        var isWanted: Bool
        var generation: Int64
    }
    private struct State {
        var generation: Int64 = 0
        var entries: [ResourceKey: [Entry]] = [:]
    }
    private let state = Mutex(State())

    /// The newest last.
    func entries(_ key: ResourceKey) -> [Entry] { state.withLock { $0.entries[key] ?? [] } }

    func put(_ key: ResourceKey, on node: NodeID, in transaction: any SQLTransaction) throws -> Int64 {
        add(key, node, isWanted: true)
    }
    func remove(_ key: ResourceKey, from node: NodeID, in transaction: any SQLTransaction) throws -> Int64 {
        add(key, node, isWanted: false)
    }
    func touch(_ key: ResourceKey, in transaction: any SQLTransaction) throws {}
    func nodes(holding key: ResourceKey, in reader: any SQLReader) throws -> [NodeID] { [] }

    private func add(_ key: ResourceKey, _ node: NodeID, isWanted: Bool) -> Int64 {
        state.withLock { state in
            state.generation += 1
            state.entries[key, default: []].append(
                Entry(node: node, isWanted: isWanted, generation: state.generation))
            return state.generation
        }
    }
}
