import ProtocolModel

/// What an agent must not forget, on disk. Each call is one durable transaction.
public protocol PlanStore: Sendable {
    func position() async throws -> PlanPosition
    /// Every entry, those that ask for removal among them.
    func entries() async throws -> [PlanEntry]
    /// Takes an update in, by the rules of ``AgentPlan/merge(_:at:)``.
    func apply(_ update: PlanUpdate, at now: Int64) async throws
    /// How long agents have run on this store, in microseconds, as far as it was written down.
    func runningTime() async throws -> Int64
    /// Never goes back.
    func note(runningTime: Int64) async throws
    func setAside() async throws -> [ResourceKey: SetAside]
    /// As ``AgentPlan/keep(strays:of:at:)``.
    func keep(strays: [ResourceKey], of total: Int, at now: Int64) async throws
    /// As ``AgentPlan/release(_:)``.
    func release(_ keys: Set<ResourceKey>) async throws
    /// Forgets an entry that asked for removal, once nothing is left of it, unless it changed since `generation`.
    func forget(_ key: ResourceKey, generation: Int64) async throws

    /// The states that were reached: see ``SettledState``.
    func settled() async throws -> [ResourceKey: SettledState]
    func settle(_ key: ResourceKey, _ state: SettledState?) async throws

    /// Takes an operation in, once.
    func admit(_ operation: Operation) async throws -> OperationAdmission
    func finish(_ result: OperationResult) async throws
    /// Results that the coordinator has not acknowledged.
    func unacknowledged() async throws -> [OperationResult]
    func acknowledge(_ operation: OperationID) async throws
    /// Called once at start: what was running when the agent died is now ``OperationResult/Outcome/interrupted``.
    func interruptRunning() async throws
}

/// Says that what is wanted of a resource was reached, for what may change by itself afterwards and is then left as it
/// is: a guest that powers itself off stays off, while one that a reboot of the host took down is started again.
public struct SettledState: Hashable, Sendable {
    /// What was reached, in the words of the kind: ``ServerSpec/Power`` for servers.
    public var state: String
    public var generation: Int64
    /// `/proc/sys/kernel/random/boot_id` of the boot in which it was reached; empty when what was reached is over, and
    /// only ``base`` still holds.
    public var bootID: String
    /// What the resource stood on when it was reached and must not be made anew from then on, in the words of the kind:
    /// the version of the root disk for servers.
    public var base: String

    public init(state: String, generation: Int64, bootID: String, base: String = "") {
        self.state = state
        self.generation = generation
        self.bootID = bootID
        self.base = base
    }
}

extension SettledState {
    /// A server's.
    public init(power: ServerSpec.Power, generation: Int64, bootID: String, rootDiskVersion: Int? = nil) {
        self.init(
            state: power.rawValue, generation: generation, bootID: bootID,
            base: rootDiskVersion.map(String.init) ?? "")
    }

    /// Whether a server has this power since then, or had it and changed by itself.
    func isReached(_ power: ServerSpec.Power, generation: Int64, bootID: String) -> Bool {
        state == power.rawValue && self.generation == generation && self.bootID == bootID
    }

    /// Whether a server ran with this root disk.
    func isOn(rootDiskVersion: Int) -> Bool { base == "\(rootDiskVersion)" }
}

public enum OperationAdmission: Sendable, Equatable {
    case run
    case alreadyRunning
    case finished(OperationResult)
}
